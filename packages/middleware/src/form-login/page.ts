// The login page: works without script, with a keyboard, a screen reader and a password manager.
import type { HttpResponse } from "@gw/core";
import { escapeHtml } from "../pages/escape.ts";
import { ownPage } from "../pages/own-page.ts";
import { loginUrl, NEXT_FIELD } from "./place.ts";
import type { LoginTexts } from "./texts.ts";

/** Another way to log in. */
export interface LoginAlternative {
  /** What the link says, such as `Sign in with Example`. Text. */
  readonly label: string;
  /** Path that begins it, percent-encoded; it is given `?next=`. */
  readonly href: string;
}

/** What a login page shows. */
export interface LoginPage {
  /** Path that the form is sent to, percent-encoded. */
  readonly action: string;
  /** Where to go after the login, or `null`. */
  readonly next: string | null;
  /** What went wrong, or `null`. Text. */
  readonly problem: string | null;
  /** Name to put into the field. Text. */
  readonly user: string;
  /** Other ways to log in, as links below the form. */
  readonly alternatives: readonly LoginAlternative[];
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The page with the form. */
export function loginPage(
  { action, next, problem, user, alternatives, status, headers }: LoginPage,
  texts: LoginTexts,
): HttpResponse {
  const described = problem === null ? "" : ` aria-describedby="problem" aria-invalid="true"`;
  const focus = (isHere: boolean): string => (isHere ? " autofocus" : "");
  const main = [
    `<h1>${escapeHtml(texts.title)}</h1>`,
    paragraph(texts.intro, "soft"),
    problem === null ? "" : `<p class="bad" id="problem" role="alert">${escapeHtml(problem)}</p>`,
    `<form method="post" action="${escapeHtml(action)}">`,
    next === null ? "" : `<input type="hidden" name="${NEXT_FIELD}" value="${escapeHtml(next)}">`,
    `<label for="user">${escapeHtml(texts.user)}</label>`,
    `<input id="user" name="user" type="text" value="${escapeHtml(user)}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="256" required${described}${focus(user === "")}>`,
    `<label for="password">${escapeHtml(texts.password)}</label>`,
    `<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required${described}${focus(user !== "")}>`,
    `<button type="submit">${escapeHtml(texts.submit)}</button>`,
    "</form>",
    alternatives.length === 0 ? "" : `<p class="or"><span>${escapeHtml(texts.or)}</span></p>`,
    ...alternatives.map((one) => linkTo(one, next)),
    paragraph(texts.note, "soft small"),
  ];
  return ownPage({ status, title: texts.title, main: joined(main), headers });
}

function linkTo({ label, href }: LoginAlternative, next: string | null): string {
  return `<a class="button plain" href="${escapeHtml(loginUrl(href, next))}">${escapeHtml(label)}</a>`;
}

/** What the page for who is logged in already shows. */
export interface SignedInPage {
  readonly user: string;
  /** Path that the logout is posted to, percent-encoded. */
  readonly logoutAction: string;
  readonly next: string;
  /** Origins where a logout goes on. */
  readonly formTargets: readonly string[];
}

/** The page for who is logged in already: go on, or log out. */
export function signedInPage({ user, logoutAction, next, formTargets }: SignedInPage, texts: LoginTexts): HttpResponse {
  const main = [
    `<h1>${escapeHtml(texts.signedIn)} ${escapeHtml(user)}</h1>`,
    `<a class="button" href="${escapeHtml(next)}">${escapeHtml(texts.goOn)}</a>`,
    `<form method="post" action="${escapeHtml(logoutAction)}">`,
    `<button class="quiet" type="submit">${escapeHtml(texts.signOut)}</button>`,
    "</form>",
  ];
  return ownPage({ status: 200, title: texts.title, main: joined(main), formTargets });
}

function paragraph(text: string, kind: string): string {
  return text === "" ? "" : `<p class="${kind}">${escapeHtml(text)}</p>`;
}

function joined(lines: readonly string[]): string {
  return lines.filter((line) => line !== "").join("\n");
}
