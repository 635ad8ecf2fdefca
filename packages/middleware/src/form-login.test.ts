import { accept, compose, type GatewayRequest, json, layer, mount } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { type Browser, browse } from "../test/browser.ts";
import { promisesMadeBy } from "../test/promises.ts";
import { SlowStore } from "../test/slow-store.ts";
import { type FormLoginOptions, formLogin } from "./form-login.ts";
import { formTargets } from "./pages/form-targets.ts";
import { requireUser } from "./require-user.ts";
import { memoryStore } from "./session/memory.ts";
import type { SessionStore } from "./session/store.ts";
import { session } from "./session.ts";

const users = { ann: { password: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", groups: ["staff"] } };
const right = { user: "ann", password: "myPassword" };
const page = { headers: { Accept: "text/html" } };

const inside = (request: GatewayRequest) =>
  request.kind === "websocket" ? accept(async () => {}) : json({ principal: request.principal, path: request.path });

const appOf = (options: Partial<FormLoginOptions> = {}, store: SessionStore = memoryStore()) =>
  compose([session({ store }), formLogin({ users, ...options } as FormLoginOptions), requireUser()], inside);

const open = (options: Partial<FormLoginOptions> = {}): Promise<Browser> => browse(appOf(options));

describe("the way in", () => {
  test("a page without a login leads to the form, the form to the page", async () => {
    const browser = await open();
    const sent = await browser.get("/report?year=2026", page);
    expect(sent.status).toBe(302);
    const form = await browser.get(sent.headers.get("location") ?? "", page);
    expect(form.status).toBe(200);
    const next = /name="next" value="([^"]+)"/.exec(form.text())?.[1] ?? "";
    const answer = await browser.post("/login", { ...right, next });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/report?year=2026"]);
    expect((await browser.get("/report")).json()).toMatchObject({
      principal: { user: "ann", type: "form", groups: ["staff"], claims: {} },
    });
  });

  test("R-M8: the id is new at login, and not cacheable", async () => {
    const browser = await open();
    browser.cookies.set("sid", "A".repeat(22));
    const answer = await browser.post("/login", right);
    expect(browser.cookies.get("sid")).not.toBe("A".repeat(22));
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("the login works with an asynchronous store, and from a sync app", async () => {
    const browser = await browse(appOf({}, new SlowStore()));
    await browser.post("/login", right);
    expect((await browser.get("/")).status).toBe(200);
  });

  test("a socket passes with the session, and is refused without", async () => {
    const browser = await open();
    expect((await browser.openSocket("/chat")).response?.status).toBe(401);
    await browser.post("/login", right);
    const socket = await browser.openSocket("/chat");
    expect(socket.response).toBe(null);
    await socket.ended;
  });

  test("under a mount, the form and its redirects stay under the mount", async () => {
    const browser = await browse(mount("/my app", appOf())(() => json("outside")));
    const sent = await browser.get("/my%20app/x", page);
    expect(sent.headers.get("location")).toBe("/my%20app/login?next=%2Fmy%2520app%2Fx");
    const form = await browser.get("/my%20app/login", page);
    expect(form.text()).toContain('action="/my%20app/login"');
    const answer = await browser.post("/my%20app/login", right);
    expect(answer.headers.get("location")).toBe("/my%20app/");
  });
});

describe("what is refused", () => {
  test.each<[string, Record<string, string>]>([
    ["a wrong password", { user: "ann", password: "x" }],
    ["an unknown user", { user: "eve", password: "myPassword" }],
    ["no fields", {}],
    ["a control character", { user: "ann", password: "my\u0000Password" }],
    ["a name without end", { user: "a".repeat(257), password: "x" }],
  ])("%s: 401, the same words, no session", async (_what, fields) => {
    const browser = await open();
    const answer = await browser.post("/login", fields);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Cookie /);
    expect(answer.text()).toContain("Wrong name or password.");
    expect(browser.cookies.size).toBe(0);
  });

  test("the name comes back into the form, as text", async () => {
    const browser = await open();
    const answer = await browser.post("/login", { user: '"><script>alert(1)</script>', password: "x" });
    expect(answer.text()).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
    expect(answer.text()).not.toContain("<script");
  });

  test("guessing: 429 with Retry-After, also for the right password; other addresses go on", async () => {
    const browser = await open({ throttle: { perAccountAndAddress: 3 } });
    for (let attempt = 0; attempt < 3; attempt++) await browser.post("/login", { user: "ann", password: "x" });
    const answer = await browser.post("/login", right);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const elsewhere = await browser.send("/login", {
      method: "POST",
      body: "user=ann&password=myPassword",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      client: { host: "192.0.2.7", port: 1 },
    });
    expect(elsewhere.status).toBe(303);
  });

  test("a login that succeeds does not count", async () => {
    const browser = await open({ throttle: { perAccountAndAddress: 2 } });
    for (let time = 0; time < 5; time++) expect((await browser.post("/login", right)).status).toBe(303);
  });

  test.each<[string, Record<string, string>]>([
    ["another site", { "Sec-Fetch-Site": "cross-site" }],
    ["a sister host", { "Sec-Fetch-Site": "same-site" }],
    ["another origin", { Origin: "http://evil.example" }],
    ["an opaque origin", { Origin: "null" }],
  ])("R-M10: a form from %s logs nobody in or out", async (_where, headers) => {
    const browser = await open();
    const answer = await browser.post("/login", right, headers);
    expect([answer.status, browser.cookies.size]).toEqual([403, 0]);
    await browser.post("/login", right);
    expect((await browser.post("/logout", {}, headers)).status).toBe(403);
    expect((await browser.get("/")).status).toBe(200);
  });

  test("R-M10: the own form passes by Sec-Fetch-Site, by Origin, and by a listed origin", async () => {
    for (const headers of [
      { "Sec-Fetch-Site": "same-origin" },
      { Origin: "http://localhost" },
      { Origin: "https://www.example", "Sec-Fetch-Site": "cross-site" },
    ]) {
      const browser = await open({ origins: ["https://www.example"] });
      expect((await browser.post("/login", right, headers as Record<string, string>)).status).toBe(303);
    }
  });

  test("a body that is too large, or no form", async () => {
    const browser = await open();
    expect((await browser.post("/login", { ...right, more: "x".repeat(20_000) })).status).toBe(413);
    expect((await browser.send("/login", { method: "POST", body: "{}" })).status).toBe(415);
  });

  test("other methods: 405 with Allow", async () => {
    const browser = await open();
    const answer = await browser.send("/login", { method: "DELETE" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    expect((await browser.get("/logout")).headers.get("allow")).toBe("POST");
  });
});

test.each([
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/.//evil.example",
  "/x/..//evil.example",
  "https://evil.example",
  "http:evil.example",
  "javascript:alert(1)",
  " //evil.example",
  "%2F%2Fevil.example",
  "/login",
  "/login?next=/x",
  "",
])("R-M12: after the login nobody is sent to %j", async (next) => {
  const browser = await open();
  const answer = await browser.post("/login", { ...right, next });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
  const form = await browser.copy().get(`/login?next=${encodeURIComponent(next)}`);
  expect(form.text()).not.toContain("evil");
});

test("R-M12: what stays on the site is followed as a browser would read it", async () => {
  for (const [next, location] of [
    ["/a/../b?c=d#e", "/b?c=d#e"],
    ["/ü x", "/%C3%BC%20x"],
    ["/a\\b", "/a/b"],
  ] as const) {
    const answer = await (await open()).post("/login", { ...right, next });
    expect(answer.headers.get("location")).toBe(location);
  }
});

describe("the way out", () => {
  test("a post to /logout ends the session on the server and leads to the login", async () => {
    const browser = await open();
    await browser.post("/login", right);
    const thief = browser.copy();
    const answer = await browser.post("/logout", {});
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login"]);
    expect((await thief.get("/")).status).toBe(401);
  });

  test("who is logged in sees who, and can go on or log out", async () => {
    const browser = await open();
    await browser.post("/login", right);
    const text = (await browser.get("/login?next=/x")).text();
    expect(text).toContain("You are signed in as ann");
    expect(text).toContain('href="/x"');
    expect(text).toContain('action="/logout"');
  });
});

test("R-M13: the page has the security headers, and its style is the one that they allow", async () => {
  const { headers, text } = await (await open()).get("/login");
  const policy = headers.get("content-security-policy") ?? "";
  const style = /<style>([\s\S]*)<\/style>/.exec(text())?.[1] ?? "";
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(style))).toString("base64");
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("DENY");
  // Not "no-referrer": then browsers send "Origin: null" with the form itself.
  expect(headers.get("referrer-policy")).toBe("same-origin");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(text()).not.toMatch(/<script|style="|\son\w+=/);
});

test("the page is made for everybody: language, labels, password managers, an announced error", async () => {
  const browser = await open({ texts: { title: "Anmelden", note: "Passwort vergessen? <Anrufen>" } });
  const text = (await browser.post("/login", { user: "ann", password: "x" })).text();
  expect(text).toContain('<html lang="en">');
  for (const id of ["user", "password"]) {
    expect(text).toContain(`<label for="${id}">`);
    expect(text).toMatch(new RegExp(`<input id="${id}" name="${id}"[^>]* aria-describedby="problem"`));
  }
  expect(text).toContain('autocomplete="username"');
  expect(text).toContain('autocomplete="current-password"');
  expect(text).toContain('role="alert"');
  expect(text).toContain("<h1>Anmelden</h1>");
  expect(text).toContain("Passwort vergessen? &lt;Anrufen&gt;");
});

test("without the session layer it says what is missing", async () => {
  const browser = await browse(compose([formLogin({ users })], inside));
  expect((await browser.get("/")).status).toBe(500);
});

test("a logged-in request makes no promise with a synchronous store; nor does a login whose body is there", () => {
  const app = appOf();
  let cookie = "";
  const made = promisesMadeBy(() => {
    const body = Buffer.from("user=ann&password=myPassword");
    let at = 0;
    const request = testRequest("/login", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: {
        length: body.length,
        replayable: false,
        readSync(maxBytes) {
          const chunk = body.subarray(at, at + maxBytes);
          at += chunk.length;
          return chunk;
        },
        [Symbol.asyncIterator]: () => {
          throw new Error("not read asynchronously");
        },
      },
    });
    const answer = app.handle(request);
    if (answer instanceof Promise) throw new Error("the login answered later");
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(app.handle(testRequest("/", { headers: { Cookie: cookie } }))).toMatchObject({ status: 200 });
  });
  expect(cookie).toMatch(/^sid=/);
  expect(made).toBe(0);
});

describe("other ways to log in", () => {
  const alternatives = [{ label: "Sign in with <Example>", href: "/login/oidc" }];

  test("are links below the form, which lead to the same page afterwards", async () => {
    const browser = await open({ alternatives });
    const form = (await browser.get("/login?next=/report%3Fa%3D1%26b", page)).text();
    expect(form).toContain(
      '<a class="button plain" href="/login/oidc?next=%2Freport%3Fa%3D1%26b">Sign in with &lt;Example&gt;</a>',
    );
    expect((await browser.get("/login", page)).text()).toContain('href="/login/oidc"');
    expect((await (await open()).get("/login", page)).text()).not.toContain('class="or"');
  });

  test("may end at another site: the form of the page for who is logged in may lead there", async () => {
    const target = layer({
      name: "target",
      onRequest: (request) => ({ ...request, state: request.state.with(formTargets, ["https://login.example"]) }),
    });
    const browser = await browse(compose([session({ store: memoryStore() }), target, formLogin({ users })], inside));
    await browser.post("/login", right);
    const policy = (await browser.get("/login", page)).headers.get("content-security-policy");
    expect(policy).toContain("form-action 'self' https://login.example;");
    await browser.app.stop();
  });
});

test("logging out with ?everywhere=1 ends the user's sessions on all devices", async () => {
  const app = appOf();
  const [phone, laptop] = [await browse(app), await browse(app)];
  for (const browser of [phone, laptop]) await browser.post("/login", right);
  await phone.post("/logout", {});
  expect((await laptop.get("/")).status).toBe(200);
  await phone.post("/login", right);
  await phone.post("/logout?everywhere=1", {});
  expect((await laptop.get("/")).status).toBe(401);
});
