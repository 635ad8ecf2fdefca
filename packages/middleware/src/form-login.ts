// A login page and what belongs to it: the session's user becomes the principal of every request.
import {
  type Answer,
  andThen,
  encodePath,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpRequest,
  layer,
  localTarget,
  type MaybePromise,
  type Middleware,
  notesOf,
  type Principal,
  readForm,
  redirect,
  toBytes,
  withPrincipal,
} from "@gw/core";
import { type LoginAlternative, type LoginPage, loginPage, signedInPage } from "./form-login/page.ts";
import { cookieChallenge, loginPlace, NEXT_FIELD } from "./form-login/place.ts";
import { englishTexts, type LoginTexts } from "./form-login/texts.ts";
import { requestOrigin } from "./origin/own-origin.ts";
import { formTargets } from "./pages/form-targets.ts";
import { type AccountsOptions, accountsOf } from "./passwords/accounts.ts";
import { checkGuess, LoginThrottle, type LoginThrottleOptions } from "./rate/login-throttle.ts";
import { sessionOf } from "./session.ts";

export type { LoginAlternative } from "./form-login/page.ts";
export type { LoginTexts } from "./form-login/texts.ts";
export type { Account, AccountsOptions, UserEntry, VerifyPassword } from "./passwords/accounts.ts";
export type { LoginThrottleOptions } from "./rate/login-throttle.ts";

/** Settings of `formLogin`. */
export interface FormLoginOptions extends AccountsOptions {
  /** Path of the login page below the mount this layer is in. Text. @default "/login" */
  path?: string;
  /** Path that ends the session when a form is posted to it; with `?everywhere=1` on all devices of the user. Text. @default "/logout" */
  logoutPath?: string;
  /** Where to go after a login that did not begin elsewhere. @default "/" below the mount */
  afterLogin?: string;
  /** Where to go after logging out. @default the login page */
  afterLogout?: string;
  /** What the page says. @default English */
  texts?: Partial<LoginTexts>;
  /** Failed attempts allowed, counted for the whole gateway, or in `counters`; `false`: any number. @default { windowMs: 900_000, perAccountAndAddress: 10, perAddress: 50, perAccount: 100 } */
  throttle?: LoginThrottleOptions | false;
  /** Other ways to log in, as links below the form: `{ label: "Sign in with Example", href: "/login/oidc" }`. @default none */
  alternatives?: readonly LoginAlternative[];
  /** Further origins from which the form may come, such as `https://www.example.com`. @default this site only */
  origins?: readonly string[];
}

const MAX_FORM_BYTES = 16_384;
const MAX_USER_CHARS = 256;
const MAX_PASSWORD_CHARS = 1_024;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Serves a login page, and gives each request of a logged-in session its principal, of type `"form"`.
 *
 * Put it inside `session()`. It lets everybody through: `requireUser()` inside
 * of it says what needs a user, and sends browsers here.
 */
export function formLogin(options: FormLoginOptions): Middleware {
  const { path = "/login", logoutPath = "/logout", throttle = {} } = options;
  const accounts = accountsOf(options);
  const limiter = throttle === false ? null : new LoginThrottle(throttle);
  const login = new Login(options, accounts, limiter);
  const [loginBytes, logoutBytes] = [toBytes(path), toBytes(logoutPath)];
  return layer({
    name: "formLogin",
    async start(context) {
      await limiter?.life.start?.(context);
      await accounts.start?.(context);
    },
    stop: (deadline) => limiter?.life.stop?.(deadline),
    ...(accounts.reload && { reload: accounts.reload }),
    onRequest(request) {
      if (request.kind === "http" && request.path === loginBytes) return login.atLogin(request);
      if (request.kind === "http" && request.path === logoutBytes) return login.atLogout(request);
      const session = sessionOf(request);
      return andThen(session.load(), () => {
        const placed = { ...request, state: request.state.with(loginPlace, login.placeOf(request)) };
        const { principal } = session;
        return principal === null ? placed : withPrincipal(placed, principal);
      });
    },
  });
}

/** What was typed into the form. */
interface Entry {
  readonly user: string;
  readonly password: string;
  readonly next: string | null;
}

/** The steps of a login and a logout. */
class Login {
  readonly #options: FormLoginOptions;
  readonly #accounts: ReturnType<typeof accountsOf>;
  readonly #limiter: LoginThrottle | null;
  readonly #texts: LoginTexts;
  readonly #loginPath: string;
  readonly #logoutPath: string;

  constructor(options: FormLoginOptions, accounts: ReturnType<typeof accountsOf>, limiter: LoginThrottle | null) {
    this.#options = options;
    this.#accounts = accounts;
    this.#limiter = limiter;
    this.#texts = { ...englishTexts, ...options.texts };
    this.#loginPath = encodePath(toBytes(options.path ?? "/login"));
    this.#logoutPath = encodePath(toBytes(options.logoutPath ?? "/logout"));
  }

  placeOf({ mount }: GatewayRequest): string {
    return mount === "" ? this.#loginPath : encodePath(mount) + this.#loginPath;
  }

  atLogin(request: HttpRequest): MaybePromise<Answer> {
    if (request.method === "POST") return this.#post(request);
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD, POST");
    const session = sessionOf(request);
    return andThen(session.load(), () => {
      const next = this.#nextOf(request, new URLSearchParams(request.query).get(NEXT_FIELD));
      const { principal } = session;
      if (principal === null) return this.#page(request, { next });
      notesOf(request.exchange).principal = principal; // for the access log, here and below
      const formTargetsHere = request.state.get(formTargets) ?? [];
      const shown = { user: principal.user, logoutAction: this.#logoutOf(request), formTargets: formTargetsHere };
      return signedInPage({ ...shown, next: next ?? this.#home(request) }, this.#texts);
    });
  }

  atLogout(request: HttpRequest): MaybePromise<Answer> {
    if (request.method !== "POST") return notAllowed("POST");
    if (this.#isForeign(request)) return this.#page(request, { status: 403, problem: this.#texts.foreign });
    const session = sessionOf(request);
    return andThen(session.load(), () => {
      notesOf(request.exchange).principal = session.principal;
      session.end({ everywhere: new URLSearchParams(request.query).get("everywhere") === "1" });
      return redirect(this.#options.afterLogout ?? this.placeOf(request), 303);
    });
  }

  #post(request: HttpRequest): MaybePromise<Answer> {
    if (this.#isForeign(request)) return this.#page(request, { status: 403, problem: this.#texts.foreign });
    return andThen(readForm(request, { maxBytes: MAX_FORM_BYTES }), (form) => {
      const next = this.#nextOf(request, form.get(NEXT_FIELD));
      const entry = { user: form.get("user") ?? "", password: form.get("password") ?? "", next };
      return isSound(entry) ? this.#attempt(request, entry) : this.#refuse(request, entry);
    });
  }

  #attempt(request: HttpRequest, entry: Entry): MaybePromise<Answer> {
    const { client } = request;
    const guess = { user: entry.user, client, secret: entry.password };
    const verify = () => this.#accounts.check(entry.user, entry.password, request);
    return andThen(checkGuess(this.#limiter, guess, verify), (checked) => {
      if (checked.waitMs !== null) {
        const headers = [["Retry-After", String(Math.ceil(checked.waitMs / 1_000))]] as const;
        return this.#page(request, { ...entry, status: 429, problem: this.#texts.tooMany, headers });
      }
      if (checked.result !== null) return this.#logIn(request, checked.result, entry.next);
      request.exchange.log.info({ user: entry.user, client }, "a login failed");
      return this.#refuse(request, entry);
    });
  }

  #logIn(request: HttpRequest, account: Omit<Principal, "type">, next: string | null): MaybePromise<Answer> {
    const session = sessionOf(request);
    return andThen(session.load(), () => {
      const principal = { ...account, type: "form" };
      session.logIn(principal);
      notesOf(request.exchange).principal = principal;
      return redirect(next ?? this.#home(request), 303);
    });
  }

  #refuse(request: HttpRequest, { user, next }: Entry): Answer {
    // A 401 carries a challenge (RFC 9110 §15.5.2); browsers ignore schemes they do not know.
    const headers = [["WWW-Authenticate", cookieChallenge(this.placeOf(request))]] as const;
    const shown = user.slice(0, MAX_USER_CHARS).replace(CONTROL, "");
    return this.#page(request, { user: shown, next, status: 401, problem: this.#texts.wrong, headers });
  }

  #page(request: HttpRequest, shown: Partial<LoginPage>): Answer {
    const fixed = { action: this.placeOf(request), alternatives: this.#options.alternatives ?? [] };
    return loginPage(
      { status: 200, user: "", next: null, problem: null, headers: [], ...shown, ...fixed },
      this.#texts,
    );
  }

  #isForeign(request: HttpRequest): boolean {
    return requestOrigin(request, this.#options.origins) === "cross";
  }

  /** Where to go after the login: only places of this site (R-M12), and not this page again. */
  #nextOf(request: HttpRequest, given: string | null): string | null {
    const next = given === null ? null : localTarget(given);
    const isHere = next !== null && (next.split(/[?#]/, 1)[0] as string) === this.placeOf(request);
    return isHere ? null : next;
  }

  #home(request: HttpRequest): string {
    return this.#options.afterLogin ?? `${encodePath(request.mount)}/`;
  }

  #logoutOf(request: HttpRequest): string {
    return encodePath(request.mount) + this.#logoutPath;
  }
}

function isSound({ user, password }: Entry): boolean {
  const isSized = user !== "" && user.length <= MAX_USER_CHARS && password.length <= MAX_PASSWORD_CHARS;
  return isSized && !CONTROL.test(user) && !CONTROL.test(password);
}

function notAllowed(allow: string): never {
  throw new GatewayError("GW_LOGIN_METHOD", 405, `this path takes ${allow}`, {
    headers: HeaderList.from({ Allow: allow }),
  });
}
