// What went wrong with a login, by whose fault it is: the page says no more than a user can use.

import { GatewayError, type HttpResponse, isGatewayError } from "@gw/core";
import { AuthorizationResponseError, ResponseBodyError } from "openid-client";
import { escapeHtml } from "../pages/escape.ts";
import { ownPage } from "../pages/own-page.ts";

/** Why a login did not come to an end. */
export type LoginFailure = "expired" | "refused" | "failed" | "stranger";

/** Texts of the page that is shown then. */
export interface OidcTexts {
  readonly title: string;
  /** The state is unknown: too old, used before, or begun in another browser. */
  readonly expired: string;
  /** The user or the provider said no. */
  readonly refused: string;
  /** The provider's answer does not hold. */
  readonly failed: string;
  /** The provider knows the user, but this site does not. */
  readonly stranger: string;
  readonly retry: string;
}

/** The texts in English. */
export const englishOidcTexts: OidcTexts = {
  title: "Not signed in",
  expired: "This sign-in was begun too long ago, in another browser, or it has been used before.",
  refused: "The sign-in was cancelled or refused.",
  failed: "The sign-in could not be completed.",
  stranger: "This account may not sign in here.",
  retry: "Try again",
};

const statuses: Readonly<Record<LoginFailure, number>> = { expired: 400, refused: 403, failed: 400, stranger: 403 };

/** The page that says so, with a way to try again. */
export function failurePage(failure: LoginFailure, retry: string, texts: OidcTexts): HttpResponse {
  const main = [
    `<h1>${escapeHtml(texts.title)}</h1>`,
    `<p class="soft">${escapeHtml(texts[failure])}</p>`,
    `<a class="button" href="${escapeHtml(retry)}">${escapeHtml(texts.retry)}</a>`,
  ];
  return ownPage({ status: statuses[failure], title: texts.title, main: main.join("\n") });
}

/** Which failure an error of the exchange is. @throws GatewayError `GW_OIDC_PROVIDER` (503) when the provider cannot be asked. */
export function failureOf(error: unknown): LoginFailure {
  if (error instanceof AuthorizationResponseError) return "refused";
  if (error instanceof ResponseBodyError) return error.error === "invalid_grant" ? "expired" : "failed";
  if (isGatewayError(error)) throw error;
  if (isOutage(error)) {
    throw new GatewayError("GW_OIDC_PROVIDER", 503, "the provider did not answer", {
      cause: error,
      headers: [["Retry-After", "5"]],
    });
  }
  return "failed";
}

/** Whether an error says that the login has ended at the provider, and not that the provider is out. */
export function isFinal(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.error === "invalid_grant";
}

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (code === "OAUTH_TIMEOUT" || code === "OAUTH_ABORT") return true;
  if (code === "OAUTH_RESPONSE_IS_NOT_CONFORM") return cause instanceof Response && cause.status >= 500;
  return error.name === "TimeoutError" || (error instanceof TypeError && error.message === "fetch failed");
}
