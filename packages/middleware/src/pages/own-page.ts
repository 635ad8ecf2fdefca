// A page of the gateway itself: HTML with the headers that such a page should have (R-M13).
import { createHash } from "node:crypto";
import { encodeText, HeaderList, type HttpResponse } from "@gw/core";
import { escapeHtml } from "./escape.ts";
import { pageStyle } from "./style.ts";

/** What one page says. */
export interface OwnPage {
  readonly status: number;
  /** Title of the document, text. */
  readonly title: string;
  /** What is inside `<main>`, HTML. */
  readonly main: string;
  /** Further origins to which its forms lead in the end, such as that of a provider. @default this site only */
  readonly formTargets?: readonly string[];
  /** Further header fields. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

const styleHash = createHash("sha256").update(pageStyle).digest("base64");

/**
 * The headers of every page of ours: nothing is loaded, framed, sniffed or cached.
 *
 * `Referrer-Policy` is `same-origin` and not `no-referrer`: under the latter
 * browsers send `Origin: null` with our own form, and it could not be told from a forged one.
 */
export const ownPageHeaders: HeaderList = HeaderList.from({
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
});

/** The answer that shows a page. */
export function ownPage({ status, title, main, headers = [], formTargets = [] }: OwnPage): HttpResponse {
  const fields = formTargets.length === 0 ? ownPageHeaders : headersFor(formTargets);
  return {
    kind: "response",
    status,
    headers: headers.length === 0 ? fields : HeaderList.from([...fields, ...headers]),
    body: encodeText(documentOf(title, main)),
  };
}

function headersFor(targets: readonly string[]): HeaderList {
  const policy = ownPageHeaders.get("content-security-policy") ?? "";
  return ownPageHeaders.with(
    "Content-Security-Policy",
    policy.replace("form-action 'self'", ["form-action 'self'", ...targets].join(" ")),
  );
}

/** The whole HTML document around the content of `<main>`. */
export function documentOf(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}
