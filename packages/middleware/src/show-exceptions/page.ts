// The page of an error for developers: what was thrown, where, and by which request. Light and dark, no script.
import { escapeHtml } from "../pages/escape.ts";
import { type Fact, headerFacts, requestFacts } from "./request-facts.ts";
import type { Frame, SourceLine, TracedError } from "./trace.ts";

/** What the page shows. */
export interface ExceptionPage {
  readonly status: number;
  /** Outermost first, at least one. */
  readonly errors: readonly TracedError[];
  readonly request: Parameters<typeof requestFacts>[0];
}

/** The style sheet of the page. */
export const exceptionStyle: string = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--line:#d5d9e0;--text:#1b1f27;--soft:#596070;--bad:#b3261e;--badbg:#fdeceb;--code:#f8f9fb}
@media(prefers-color-scheme:dark){:root{--page:#14171c;--card:#1d2129;--line:#3a414e;--text:#e8eaef;--soft:#a3abba;--bad:#ffb4ab;--badbg:#4a2320;--code:#171a20}}
*{box-sizing:border-box}
body{margin:0;padding:2rem 1.25rem 3rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto}
h1,h2{margin:0 0 .5rem;line-height:1.3;overflow-wrap:anywhere}
h1{font-size:1.5rem;letter-spacing:-.01em}
h2{font-size:1.125rem}
.kind{margin:0;color:var(--bad);font:600 .9375rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.where{margin:0;color:var(--soft);overflow-wrap:anywhere}
section{margin:1.5rem 0;padding:1.25rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
table+h2{margin-top:1.5rem}
details{margin:0 -.5rem;border-radius:.375rem}
summary{padding:.25rem .5rem;cursor:pointer;border-radius:.375rem;overflow-wrap:anywhere}
summary:hover{background:var(--code)}
.frame{padding:.25rem .5rem .25rem 1.5rem;margin:0 -.5rem}
.frame,.far{color:var(--soft)}
code,pre{font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
summary code+code,.frame code+code{margin-left:.75rem;color:var(--soft)}
pre{margin:.25rem .5rem .75rem;padding:.5rem 0;overflow-x:auto;background:var(--code);border:1px solid var(--line);border-radius:.5rem}
pre span{display:block;min-width:max-content;padding:0 .75rem;white-space:pre}
pre span::before{content:attr(data-line);display:inline-block;width:3.25em;margin-right:1em;color:var(--soft);text-align:right;user-select:none}
pre mark{display:block;min-width:max-content;background:var(--badbg);color:inherit;box-shadow:inset 3px 0 var(--bad)}
table{width:100%;border-collapse:collapse;font-size:.875rem}
th,td{padding:.375rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
tr:first-child>*{border-top:0}
th{width:14rem;padding-right:1rem;color:var(--soft);font-weight:500}
footer{color:var(--soft);font-size:.875rem}
:focus-visible{outline:3px solid var(--bad);outline-offset:1px}
@media(max-width:40rem){body{padding:1rem .75rem}th,td{display:block;width:auto}td{border-top:0;padding-top:0}summary code+code,.frame code+code{display:block;margin:0 0 0 1.125rem}}
`.trim();

/** The document. Everything in it is escaped. */
export function exceptionPage({ status, errors, request }: ExceptionPage): string {
  const [first] = errors as readonly [TracedError, ...TracedError[]];
  const rest = errors.slice(1).map((error) => section(error, `<p class="kind">${because(error)}</p>`));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(`${status}: ${headline(first)}`)}</title>
<style>${exceptionStyle}</style>
</head>
<body>
<main>
<p class="kind">${escapeHtml(first.name === "" ? "thrown, but no error" : first.name)}</p>
<h1>${escapeHtml(first.message || "(no message)")}</h1>
<p class="where">${escapeHtml(`${requestFacts(request)[0]?.[1]} → ${status}`)}</p>
${section(first, "")}
${rest.join("\n")}
<section>
<h2>Request</h2>
${table(requestFacts(request))}
<h2>Header fields</h2>
${table(headerFacts(request))}
</section>
<footer>For developers only: without <code>showExceptions()</code> or <code>gw dev</code>, clients get a bare ${status}.</footer>
</main>
</body>
</html>
`;
}

/** The same as text, for a terminal. */
export function exceptionText({ status, errors, request }: ExceptionPage): string {
  const stacks = errors.map((error, at) => (at === 0 ? error.stack : `Caused by: ${error.stack}`));
  return `${requestFacts(request)[0]?.[1]} → ${status}\n\n${stacks.join("\n\n")}\n`;
}

function headline({ name, message }: TracedError): string {
  return name === "" ? message : `${name}: ${message}`;
}

function because(error: TracedError): string {
  return `Caused by ${escapeHtml(error.name === "" ? "something that is no error" : error.name)}`;
}

function section(error: TracedError, head: string): string {
  const title = head === "" ? "" : `${head}\n<h2>${escapeHtml(error.message || "(no message)")}</h2>\n`;
  if (error.frames.length === 0) return `<section>\n${title}<p class="where">No stack.</p>\n</section>`;
  const open = error.frames.findIndex(({ source }) => source.length > 0);
  return `<section>\n${title}${error.frames.map((frame, at) => frameHtml(frame, at === open)).join("\n")}\n</section>`;
}

function frameHtml({ name, at, source }: Frame, isOpen: boolean): string {
  const line = `<code>${escapeHtml(name === "" ? "(anonymous)" : name)}</code><code>${escapeHtml(at)}</code>`;
  if (source.length === 0) return `<div class="frame">${line}</div>`;
  return `<details${isOpen ? " open" : ""}><summary>${line}</summary>${excerpt(source)}</details>`;
}

function excerpt(lines: readonly SourceLine[]): string {
  const rows = lines.map(({ number, text, isHere }) => {
    const row = `<span data-line="${number}">${escapeHtml(text)}</span>`;
    return isHere ? `<mark>${row}</mark>` : row;
  });
  return `<pre>${rows.join("")}</pre>`;
}

function table(facts: readonly Fact[]): string {
  const rows = facts.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table>${rows.join("")}</table>`;
}
