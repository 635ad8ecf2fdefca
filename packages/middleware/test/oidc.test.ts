// Logins at a real provider: to it, back, renewed, out here, out there; and what does not work.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { accept, compose, type GatewayRequest, json, mount } from "@gw/core";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type OidcOptions, oidc } from "../src/oidc.ts";
import { requireUser } from "../src/require-user.ts";
import { memoryStore } from "../src/session/memory.ts";
import type { SessionStore } from "../src/session/store.ts";
import { session, sessionOf } from "../src/session.ts";
import { type Browser, browse } from "./browser.ts";
import { client, Person, type ProviderSettings, startProvider, type TestProvider } from "./provider.ts";
import { SlowStore } from "./slow-store.ts";

const origin = "https://site.example";
const page = { headers: { Accept: "text/html" } };
let provider: TestProvider;

beforeEach(async () => {
  provider = await startProvider({ origin });
});
afterEach(() => {
  vi.useRealTimers();
  provider.stop();
});

const inside = (request: GatewayRequest) => {
  if (request.kind === "websocket") return accept(async () => {});
  if (request.path === "/clear") sessionOf(request).clear();
  return json({ principal: request.principal, keys: sessionOf(request).keys() });
};
const appOf = (options: Partial<OidcOptions> = {}, store: SessionStore = memoryStore()) =>
  compose(
    [
      session({ store }),
      oidc({ issuer: provider.issuer, ...client, origin, allowHttp: true, ...options }),
      requireUser(),
    ],
    inside,
  );
const open = async (options: Partial<OidcOptions> = {}, store?: SessionStore): Promise<Browser> => {
  const browser = await browse(appOf(options, store));
  onTestFinished(() => browser.app.stop());
  return browser;
};
/** Starts the provider anew with other settings. */
const restart = async (settings: Partial<ProviderSettings>): Promise<void> => {
  provider.stop();
  provider = await startProvider({ origin, ...settings });
};
const location = (answer: { headers: { get(name: string): string | null } }): string =>
  answer.headers.get("location") ?? "";
/** The path on the site of a URL that the browser was sent to. */
const onSite = (url: string): string => {
  expect(new URL(url).origin).toBe(origin);
  return url.slice(origin.length);
};
const begin = async (browser: Browser, next = "/report?year=2026"): Promise<string> =>
  location(await browser.get(`/login?next=${encodeURIComponent(next)}`, page));
const logIn = async (browser: Browser, name = "ann"): Promise<string> => {
  const back = onSite(await new Person(name).logIn(await begin(browser)));
  return location(await browser.get(back, page));
};
const whoIs = async (browser: Browser) => (await browser.get("/")).json() as { principal: { user: string } };

describe("a login", () => {
  test("leads from the page to the provider and back to the page, with the groups", async () => {
    provider.groups.set("ann", ["staff"]);
    const browser = await open();
    const refused = await browser.get("/report?year=2026", page);
    expect([refused.status, location(refused)]).toEqual([302, "/login?next=%2Freport%3Fyear%3D2026"]);
    const sent = await browser.get(location(refused), page);
    expect([sent.status, sent.headers.get("cache-control")]).toEqual([302, "no-store"]);
    const before = browser.cookies.get("sid");
    const back = onSite(await new Person("ann").logIn(location(sent)));
    const entered = await browser.get(back, page);
    expect([entered.status, location(entered)]).toEqual([303, "/report?year=2026"]);
    expect(browser.cookies.get("sid")).not.toBe(before); // R-M8: the id is new
    expect((await browser.get("/report")).json()).toEqual({
      principal: {
        user: "ann",
        type: "oidc",
        groups: ["staff"],
        claims: { sub: "ann", name: "Name of ann", email: "ann@example.com", groups: ["staff"] },
      },
      keys: [], // nothing of the login is an app's to see
    });
  });

  test("R-M15: asks with PKCE, a state and a nonce, fresh for each", async () => {
    const browser = await open({ parameters: { prompt: "login" } });
    const asked = [await begin(browser), await begin(browser)].map((url) => new URL(url).searchParams);
    for (const query of asked) {
      expect(Object.fromEntries(query)).toMatchObject({
        response_type: "code",
        client_id: "site",
        redirect_uri: `${origin}/login/callback`,
        scope: "openid profile email",
        code_challenge_method: "S256",
        prompt: "login",
      });
    }
    for (const name of ["state", "nonce", "code_challenge"]) {
      expect(asked[0]?.get(name)).toMatch(/^[\w-]{43}$/);
      expect(asked[0]?.get(name)).not.toBe(asked[1]?.get(name));
    }
  });

  test("programs and sockets get 401, and the session opens sockets", async () => {
    const browser = await open();
    expect((await browser.get("/report")).status).toBe(401);
    expect((await browser.openSocket("/chat")).response?.status).toBe(401);
    await logIn(browser);
    const socket = await browser.openSocket("/chat");
    expect(socket.response).toBe(null);
    await socket.ended;
  });

  test.each(["basic", "post"] as const)(
    "works with an asynchronous store, with the secret sent as %s, with userinfo, and with names of ours",
    async (clientAuthentication) => {
      const owner = async ({ email }: Readonly<Record<string, unknown>>) => ({ user: String(email), groups: ["all"] });
      const browser = await open({ clientAuthentication, userInfo: true, owner }, new SlowStore());
      expect(await logIn(browser)).toBe("/report?year=2026");
      expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann@example.com", groups: ["all"] } });
      expect(provider.asked.get("/me")).toBe(1);
    },
  );

  test("may be refused by owner: 403, and nobody is logged in", async () => {
    const browser = await open({ owner: () => null });
    const back = onSite(await new Person("ann").logIn(await begin(browser)));
    const answer = await browser.get(back, page);
    expect(answer.status).toBe(403);
    expect(answer.text()).toContain("may not sign in here");
    expect((await browser.get("/")).status).toBe(401);
  });

  test("works below a mount", async () => {
    const layers = [oidc({ issuer: provider.issuer, ...client, origin, allowHttp: true }), requireUser()];
    const browser = await browse(
      compose([session({ store: memoryStore() }), mount("/site", compose(layers, inside))], inside),
    );
    const sent = await browser.get("/site/report", page);
    expect(location(sent)).toBe("/site/login?next=%2Fsite%2Freport");
    const asked = new URL(location(await browser.get(location(sent), page)));
    expect(asked.searchParams.get("redirect_uri")).toBe(`${origin}/site/login/callback`);
    await browser.app.stop();
  });

  test.each(["//evil.example", "https://evil.example/", "/\\evil.example", "/login", "/login/callback?x"])(
    "R-M12: leads to no other site and not in circles: next=%s",
    async (next) => {
      const browser = await open();
      const back = onSite(await new Person("ann").logIn(await begin(browser, next)));
      expect(location(await browser.get(back, page))).toBe("/");
      const again = await browser.get(`/login?next=${encodeURIComponent(next)}`, page);
      expect(location(again)).toBe("/");
    },
  );
});

describe("R-M15: what a browser brings back counts", () => {
  test("once", async () => {
    const browser = await open();
    const thief = browser.copy();
    const back = onSite(await new Person("ann").logIn(await begin(browser)));
    thief.cookies.set("sid", browser.cookies.get("sid") ?? "");
    expect((await browser.get(back, page)).status).toBe(303);
    const again = await thief.get(back, page);
    expect(again.status).toBe(400);
    expect(again.text()).toContain("used before");
    expect((await thief.get("/")).status).toBe(401);
    // The same URL in the browser that is logged in, loaded again: no harm, no second login.
    const reloaded = await browser.get(back, page);
    expect([reloaded.status, location(reloaded)]).toEqual([303, "/"]);
    expect(provider.asked.get("/token")).toBe(1);
  });

  test("once, when two requests bring it at the same time", async () => {
    const browser = await open({}, new SlowStore());
    const back = onSite(await new Person("ann").logIn(await begin(browser)));
    const both = await Promise.all([browser.copy().get(back, page), browser.copy().get(back, page)]);
    expect(both.map(({ status }) => status).sort()).toEqual([303, 400]);
    expect(provider.asked.get("/token")).toBe(1);
  });

  test("in the browser that began it, not in another one", async () => {
    const [ann, eve] = [await open(), await open()];
    const back = onSite(await new Person("eve").logIn(await begin(eve)));
    // Eve sends Ann her own callback, so that Ann works under Eve's account.
    expect((await ann.get(back, page)).status).toBe(400);
    await begin(ann); // not even while Ann's own login is under way
    expect((await ann.get(back, page)).status).toBe(400);
    expect((await ann.get("/")).status).toBe(401);
    expect(provider.asked.get("/token") ?? 0).toBe(0);
  });

  test("with its own state only: another tab's, a forged one, two, none", async () => {
    const browser = await open();
    const [one, other] = [new URL(await begin(browser)), new URL(await begin(browser))];
    const back = new URL(await new Person("ann").logIn(one.href));
    for (const state of ["forged", "__proto__", "constructor", ""]) {
      back.searchParams.set("state", state);
      expect((await browser.get(onSite(back.href), page)).status).toBe(400);
    }
    back.searchParams.set("state", one.searchParams.get("state") ?? "");
    expect((await browser.get(`${onSite(back.href)}&state=x`, page)).status).toBe(400);
    expect(provider.asked.get("/token") ?? 0).toBe(0);
    back.searchParams.set("state", other.searchParams.get("state") ?? "");
    // The code of one login with the state of another: its PKCE verifier and nonce are the other's.
    expect((await browser.get(onSite(back.href), page)).status).toBe(400);
    expect((await browser.get("/")).status).toBe(401);
  });

  test("within ten minutes", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const browser = await open();
    const back = onSite(await new Person("ann").logIn(await begin(browser)));
    vi.setSystemTime(Date.now() + 600_000);
    expect((await browser.get(back, page)).status).toBe(400);
    expect(provider.asked.get("/token") ?? 0).toBe(0);
  });

  test("with the issuer that was asked (RFC 9207), and with a code of the provider's", async () => {
    const browser = await open();
    for (const [name, value] of [
      ["iss", "https://evil.example"],
      ["code", "forged"],
    ] as const) {
      const back = new URL(await new Person("ann").logIn(await begin(browser)));
      back.searchParams.set(name, value);
      const answer = await browser.get(onSite(back.href), page);
      expect(answer.status).toBe(400);
    }
    expect((await browser.get("/")).status).toBe(401);
  });

  test("a refusal of the provider is 403 with a way to try again, and nothing of its text is shown", async () => {
    const browser = await open();
    const { searchParams } = new URL(await begin(browser));
    const query = new URLSearchParams({
      error: "access_denied",
      error_description: "<b>markup</b>",
      state: searchParams.get("state") ?? "",
      iss: provider.issuer,
    });
    const answer = await browser.get(`/login/callback?${query}`, page);
    expect(answer.status).toBe(403);
    expect(answer.text()).toContain('href="/login"');
    expect(answer.text()).not.toContain("markup");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("several tabs may log in at once, the tenth latest of them", async () => {
    const browser = await open();
    const urls: string[] = [];
    for (let tab = 0; tab < 11; tab++) urls.push(await begin(browser, `/tab/${tab}`));
    const ann = new Person("ann");
    const back = [];
    for (const url of urls) back.push(onSite(await ann.logIn(url)));
    expect((await browser.get(back[0] as string, page)).status).toBe(400); // one too many
    for (const tab of [5, 1, 10]) expect(location(await browser.get(back[tab] as string, page))).toBe(`/tab/${tab}`);
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann" } });
  });

  test("another user in the same browser begins a new session", async () => {
    const browser = await open();
    const first = await begin(browser);
    const second = await begin(browser);
    await browser.get(onSite(await new Person("ann").logIn(first)), page);
    await browser.get(onSite(await new Person("bob").logIn(second)), page);
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "bob" } });
  });
});

describe("a renewal", () => {
  const hour = 3_600_000;

  test("brings the groups that the provider knows now, once for parallel requests", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const store = new SlowStore();
    const browser = await open({}, store);
    await logIn(browser);
    provider.groups.set("ann", ["ops"]);
    expect(await whoIs(browser)).toMatchObject({ principal: { groups: [] } });
    for (let quarter = 0; quarter < 3; quarter++) {
      vi.setSystemTime(Date.now() + hour / 4);
      await whoIs(browser); // in use: the session must not end before the tokens
    }
    expect(provider.asked.get("/token")).toBe(1);
    vi.setSystemTime(Date.now() + hour / 4 + 1_000);
    const answers = await Promise.all(Array.from({ length: 5 }, () => browser.copy().get("/")));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const { headers } of answers) browser.keep(headers);
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann", groups: ["ops"] } });
    expect(provider.asked.get("/token")).toBe(2);
  });

  test("that the provider refuses ends the login", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await restart({ accessTokenSeconds: 60 });
    const browser = await open();
    await logIn(browser);
    await provider.revokeAll();
    expect((await browser.get("/")).status).toBe(200);
    vi.setSystemTime(Date.now() + 61_000);
    expect((await browser.get("/")).status).toBe(401);
    expect((await browser.get("/page", page)).status).toBe(302);
  });

  test("R-O7: that fails in an outage changes nothing, and is tried again later", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await restart({ accessTokenSeconds: 60 });
    const browser = await open();
    await logIn(browser);
    provider.setOut(true);
    provider.groups.set("ann", ["ops"]);
    vi.setSystemTime(Date.now() + 61_000);
    for (let request = 0; request < 5; request++) {
      expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann", groups: [] } });
    }
    expect(provider.asked.get("/token")).toBe(2); // one try in half a minute
    provider.setOut(false);
    vi.setSystemTime(Date.now() + 31_000);
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann", groups: ["ops"] } });
  });

  test("is not made with renew: false", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await restart({ accessTokenSeconds: 60 });
    const browser = await open({ renew: false });
    await logIn(browser);
    vi.setSystemTime(Date.now() + 61_000);
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann" } });
    expect(provider.asked.get("/token")).toBe(1);
  });
});

describe("a logout", () => {
  test("ends the session here and leads to the provider, which leads back", async () => {
    const browser = await open();
    const ann = new Person("ann");
    await browser.get(onSite(await ann.logIn(await begin(browser))), page);
    const stolen = browser.copy();
    const answer = await browser.post("/logout", {}, { Origin: origin });
    expect(answer.status).toBe(303);
    const there = new URL(location(answer));
    expect([there.origin, there.searchParams.get("post_logout_redirect_uri")]).toEqual([provider.issuer, `${origin}/`]);
    expect(there.searchParams.get("id_token_hint")).toMatch(/^ey/);
    expect((await stolen.get("/")).status).toBe(401);
    expect(await ann.logOut(there.href)).toBe(`${origin}/`);
  });

  test("of another site's making is refused, as is a GET", async () => {
    const browser = await open();
    await logIn(browser);
    expect((await browser.post("/logout", {}, { Origin: "https://evil.example" })).status).toBe(403);
    expect((await browser.get("/logout")).status).toBe(405);
    expect((await browser.get("/")).status).toBe(200);
  });

  test("everywhere ends the user's sessions on all devices, and nobody else's", async () => {
    const store = memoryStore();
    const [phone, laptop, bob] = [await open({}, store), await open({}, store), await open({}, store)];
    for (const browser of [phone, laptop]) await logIn(browser);
    await logIn(bob, "bob");
    await phone.post("/logout?everywhere=1", {}, { Origin: origin });
    expect([(await phone.get("/")).status, (await laptop.get("/")).status]).toEqual([401, 401]);
    expect((await bob.get("/")).status).toBe(200);
  });

  test("works while the provider is out", async () => {
    const browser = await open();
    await logIn(browser);
    provider.setOut(true);
    expect((await browser.post("/logout", {}, { Origin: origin })).status).toBe(303);
    expect((await browser.get("/")).status).toBe(401);
  });

  test("is not undone by an app that clears its session", async () => {
    const browser = await open();
    await logIn(browser);
    await browser.get("/clear");
    expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann" } });
    expect(location(await browser.post("/logout", {}, { Origin: origin }))).toContain(`${provider.issuer}/session/end`);
  });
});

describe("a logout at the provider", () => {
  /** A site that listens, so that the provider can call it. */
  const listening = async (options: Partial<OidcOptions> = {}, store: SessionStore = memoryStore()) => {
    let browser: Browser | null = null;
    const calls: number[] = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const answer = await browser?.app.request(request.url, {
        method: "POST",
        body,
        headers: { "Content-Type": request.headers["content-type"] ?? "" },
      });
      calls.push(answer?.status ?? 0);
      response.writeHead(answer?.status ?? 500).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    await restart({ backChannel: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ended` });
    browser = await open({ backChannelPath: "/ended", ...options }, store);
    return { browser, calls, other: await open({ backChannelPath: "/ended", ...options }, store) };
  };

  test.each([
    ["memory", () => memoryStore()],
    ["an asynchronous store", () => new SlowStore()],
  ] as const)(
    "reaches us by the back channel and ends that login, not the user's others (%s)",
    async (_kind, store) => {
      const { browser, calls, other } = await listening({}, store());
      const [desk, phone] = [new Person("ann"), new Person("ann")];
      await browser.get(onSite(await desk.logIn(await begin(browser))), page);
      await other.get(onSite(await phone.logIn(await begin(other))), page);
      await desk.logOut(`${provider.issuer}/session/end`);
      await expect.poll(() => calls).toEqual([200]);
      expect((await browser.get("/")).status).toBe(401);
      expect((await other.get("/")).status).toBe(200);
      await browser.get(onSite(await desk.logIn(await begin(browser))), page);
      expect(await whoIs(browser)).toMatchObject({ principal: { user: "ann" } });
    },
  );
});

describe("a logout token", () => {
  const event = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const claims = (): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1_000);
    return { iss: provider.issuer, aud: "site", iat: now, exp: now + 120, jti: "1", sub: "ann", events: event };
  };
  const send = async (browser: Browser, token: string) =>
    (await browser.app.request("/ended", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ logout_token: token }).toString(),
    })) as { status: number; headers: { get(name: string): string | null } };

  test("for a user ends all logins of that user, and only those before it", async () => {
    const store = memoryStore();
    const [one, other, bob] = [
      await open({ backChannelPath: "/ended" }, store),
      await open({ backChannelPath: "/ended" }, store),
      await open({ backChannelPath: "/ended" }, store),
    ];
    await logIn(one);
    await logIn(other);
    await logIn(bob, "bob");
    const answer = await send(one, await provider.sign(claims(), { typ: "logout+jwt" }));
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect([(await one.get("/")).status, (await other.get("/")).status, (await bob.get("/")).status]).toEqual([
      401, 401, 200,
    ]);
    await logIn(one);
    expect((await one.get("/")).status).toBe(200);
  });

  test.each<[string, () => Promise<string> | string]>([
    ["an ID token: it has a nonce", () => provider.sign({ ...claims(), nonce: "n" })],
    ["without the event", () => provider.sign({ ...claims(), events: {} })],
    [
      "with an event that is no object",
      () => provider.sign({ ...claims(), events: { [Object.keys(event)[0] as string]: true } }),
    ],
    ["without jti", () => provider.sign({ ...claims(), jti: undefined })],
    ["without sub and sid", () => provider.sign({ ...claims(), sub: undefined })],
    ["for another site", () => provider.sign({ ...claims(), aud: "other" })],
    ["of another issuer", () => provider.sign({ ...claims(), iss: "https://evil.example" })],
    ["without exp", () => provider.sign({ ...claims(), exp: undefined })],
    ["without iat", () => provider.sign({ ...claims(), iat: undefined })],
    ["that is over", () => provider.sign({ ...claims(), exp: 1_000 })],
    ["of another type", () => provider.sign(claims(), { typ: "at+jwt" })],
    [
      "unsigned",
      () =>
        `${btoa('{"alg":"none"}').replace(/=/g, "")}.${Buffer.from(JSON.stringify(claims())).toString("base64url")}.`,
    ],
    ["none", () => ""],
  ])("is refused: %s", async (_why, make) => {
    const browser = await open({ backChannelPath: "/ended" });
    await logIn(browser);
    expect((await send(browser, await make())).status).toBe(400);
    expect((await browser.get("/")).status).toBe(200);
  });

  test("is not taken where none is expected", async () => {
    const browser = await open();
    await logIn(browser);
    await send(browser, await provider.sign(claims(), { typ: "logout+jwt" }));
    expect((await browser.get("/")).status).toBe(200);
  });
});

describe("R-O7: a provider that is out", () => {
  test("from the start: 503 for logins, and it heals without a restart", async () => {
    provider.setOut(true);
    const browser = await open();
    const answer = await browser.get("/login", page);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await browser.get("/report")).status).toBe(401);
    provider.setOut(false);
    await expect.poll(async () => (await browser.get("/login", page)).status, { timeout: 10_000 }).toBe(302);
  });

  test("in the middle of a login: 503, and nobody is logged in; those who are go on", async () => {
    const store = memoryStore();
    const [ann, bob] = [await open({}, store), await open({}, store)];
    await logIn(ann);
    const back = onSite(await new Person("bob").logIn(await begin(bob)));
    provider.setOut(true);
    expect((await bob.get(back, page)).status).toBe(503);
    expect((await bob.get("/")).status).toBe(401);
    expect((await ann.get("/")).status).toBe(200);
  });
});

test.each<[string, Partial<OidcOptions>, string]>([
  ["an issuer over http", { issuer: "http://login.example" }, "GW_OUTBOUND_URL"],
  ["http without allowHttp", { allowHttp: false }, "GW_OUTBOUND_URL"],
  ["an origin with a path", { origin: "https://site.example/app" }, "GW_OIDC"],
  ["an origin that is none", { origin: "site.example" }, "GW_OIDC"],
  ["no client", { clientId: "" }, "GW_OIDC"],
  ["scopes without openid", { scopes: ["profile"] }, "GW_OIDC"],
  ["a skew of more than a minute", { clockSkewMs: 90_000 }, "GW_OIDC"],
])("settings are refused: %s", (_why, options, code) => {
  expect(() => appOf(options)).toThrow(expect.objectContaining({ code }));
});
