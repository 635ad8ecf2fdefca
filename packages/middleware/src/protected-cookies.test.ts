import { accept, compose, type GatewayRequest, type Middleware, type RequestHead, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import type { ProtectedCookiesOptions } from "./cookies/protected.ts";
import { readCookies } from "./cookies/read.ts";
import { type Cookies, cookies, cookiesOf } from "./cookies.ts";
import { encryptedCookies, encryptedCookiesOf } from "./encrypted-cookies.ts";
import { signedCookies, signedCookiesOf } from "./signed-cookies.ts";

const OLD = "an old secret of at least thirty-two characters";
const NEW = "a new secret of at least thirty-two characters";
const hard = 'ü; ,"\\\u0001 = % . -';

type Kind = [
  name: string,
  layer: (options: ProtectedCookiesOptions) => Middleware,
  of: (request: RequestHead) => Cookies,
];
const kinds: Kind[] = [
  ["signedCookies", signedCookies, signedCookiesOf],
  ["encryptedCookies", encryptedCookies, encryptedCookiesOf],
];

afterEach(() => void vi.useRealTimers());

describe.each(kinds)("%s", (name, protect, of) => {
  /** The Cookie field after an app has set cookies. */
  const sentBy = async (options: ProtectedCookiesOptions, set: (jar: Cookies) => void): Promise<string> => {
    const app = compose([protect(options)], (request) => {
      set(of(request));
      return text("");
    });
    const { headers } = await request(app);
    return headers
      .getAll("set-cookie")
      .map((line) => line.split(";", 1)[0])
      .join("; ");
  };
  const readAs = async (options: ProtectedCookiesOptions, header: string, cookie: string): Promise<string | null> => {
    let value: string | null = "?";
    const app = compose([protect(options)], (request) => {
      value = of(request).get(cookie);
      expect(of(request).has(cookie)).toBe(value !== null);
      return text("");
    });
    await request(app, "/", { headers: { Cookie: header } });
    return value;
  };
  const secrets = [NEW];
  const of1 = (value = "ann") => sentBy({ secrets }, (jar) => jar.set("who", value));

  test.each(["ann", "", hard, "€".repeat(300)])("gives back what was set: %j", async (value) => {
    const sent = await of1(value);
    expect(sent).toMatch(/^who=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/);
    expect(await readAs({ secrets }, sent, "who")).toBe(value);
  });

  test("R-M7: holds for its name alone", async () => {
    const sent = await of1();
    expect(await readAs({ secrets }, sent.replace("who=", "admin="), "admin")).toBe(null);
  });

  test("R-M7: holds for its purpose alone, and not for another kind of cookie", async () => {
    const sent = await sentBy({ secrets, purpose: "invitation" }, (jar) => jar.set("who", "ann"));
    expect(await readAs({ secrets, purpose: "invitation" }, sent, "who")).toBe("ann");
    expect(await readAs({ secrets, purpose: "newsletter" }, sent, "who")).toBe(null);
    expect(await readAs({ secrets }, sent, "who")).toBe(null);
    for (const [other, layer, otherOf] of kinds.filter(([kind]) => kind !== name)) {
      let value: string | null = "?";
      const app = compose([layer({ secrets, purpose: "invitation" })], (request) => {
        value = otherOf(request).get("who");
        return text("");
      });
      await request(app, "/", { headers: { Cookie: sent } });
      expect([other, value]).toEqual([other, null]);
    }
  });

  test("R-M7: every changed char makes it absent, and so does every cut", async () => {
    const sent = await of1();
    const value = sent.slice("who=".length);
    for (let at = 0; at < value.length - 1; at++) {
      const changed = value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
      expect(await readAs({ secrets }, `who=${changed}`, "who")).toBe(null);
      expect(await readAs({ secrets }, `who=${value.slice(0, at)}`, "who")).toBe(null);
    }
  });

  test("R-M7: secrets rotate: the first makes, all are taken, a dropped one is not", async () => {
    const before = await sentBy({ secrets: [OLD] }, (jar) => jar.set("who", "ann"));
    const during = await sentBy({ secrets: [NEW, OLD] }, (jar) => jar.set("who", "ann"));
    expect(await readAs({ secrets: [NEW, OLD] }, before, "who")).toBe("ann");
    expect(await readAs({ secrets: [NEW] }, before, "who")).toBe(null);
    expect(await readAs({ secrets: [NEW] }, during, "who")).toBe("ann");
    expect(await readAs({ secrets: [OLD] }, during, "who")).toBe(null);
  });

  test("R-M7: is absent after the layer's age, and after its own Max-Age or Expires, whatever the client keeps", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_900_000_000_000 });
    const sent = await sentBy({ secrets, maxAgeMs: 60_000 }, (jar) => {
      jar.set("long", "1");
      jar.set("short", "2", { maxAge: 30 });
      jar.set("dated", "3", { expires: new Date(Date.now() + 30_000) });
    });
    const read = async () =>
      Promise.all(["long", "short", "dated"].map((cookie) => readAs({ secrets, maxAgeMs: 60_000 }, sent, cookie)));
    vi.advanceTimersByTime(29_000);
    expect(await read()).toEqual(["1", "2", "3"]);
    vi.advanceTimersByTime(2_000);
    expect(await read()).toEqual(["1", null, null]);
    vi.advanceTimersByTime(30_000);
    expect(await read()).toEqual([null, null, null]);
  });

  test("a cookie of the same name that another host planted does not hide ours", async () => {
    const sent = await of1();
    expect(await readAs({ secrets }, `who=planted; ${sent}; who=other`, "who")).toBe("ann");
  });

  test("all() holds those that are ours", async () => {
    const sent = await sentBy({ secrets }, (jar) => {
      jar.set("a", "1");
      jar.set("b", "2");
    });
    let all: unknown;
    const app = compose([protect({ secrets })], (request) => {
      all = [...of(request).all()];
      return text("");
    });
    await request(app, "/", { headers: { Cookie: `c=3; __proto__=4; ${sent}` } });
    expect(all).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("attributes are the layer's or the call's; delete ends the cookie with them", async () => {
    const app = compose([protect({ secrets, defaults: { path: "/x", sameSite: "strict" } })], (request) => {
      of(request).set("a", "1", { maxAge: 60 });
      of(request).delete("b");
      return text("");
    });
    const [set = "", ended] = (await request(app)).headers.getAll("set-cookie");
    expect(set.replace(/=[^;]+/, "=…")).toBe("a=…; Max-Age=60; Path=/x; HttpOnly; SameSite=Strict");
    expect(ended).toBe("b=; Max-Age=0; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict");
  });

  test("R-M6: a value that makes more than 4,096 bytes, or is no text, is refused", async () => {
    const app = (value: string) =>
      compose([protect({ secrets })], (request) => {
        of(request).set("a", value);
        return text("");
      });
    for (const value of ["x".repeat(4_090), "\ud800"]) {
      const answer = await request(app(value), "/", { headers: {} });
      expect(answer.status).toBe(500);
    }
  });

  test("shares its lines with cookies(), in the order of the calls; sockets get them too", async () => {
    const both = (request: GatewayRequest): void => {
      cookiesOf(request).set("plain", "1");
      of(request).set("safe", "2");
      cookiesOf(request).set("last", "3");
    };
    for (const layers of [
      [cookies(), protect({ secrets })],
      [protect({ secrets }), cookies()],
    ]) {
      const app = compose(layers, (request) => {
        both(request);
        return request.kind === "http" ? text("") : accept(async () => {});
      });
      const lines = (await request(app)).headers.getAll("set-cookie");
      expect(lines.map((line) => line.split("=", 1)[0])).toEqual(["plain", "safe", "last"]);
      const socket = await openSocket(app);
      expect(socket.headers.getAll("set-cookie")).toHaveLength(3);
      await socket.ended;
    }
  });

  test("makes no promise", () => {
    const layer = protect({ secrets });
    const app = layer((request) => {
      of(request).set("a", of(request).get("a") ?? "");
      return text("");
    });
    expect(promisesMadeBy(() => void app(testRequest("/", { headers: { Cookie: "a=1" } })))).toBe(0);
  });

  test.each([[[]], [["short"]], [[NEW, "short"]], [[new Uint8Array(31)]]])("refuses the secrets %j", (given) => {
    expect(() => protect({ secrets: given as string[] })).toThrow(
      expect.objectContaining({ code: "GW_SECRETS", status: 500 }),
    );
  });

  test("without the layer the reader says which is missing", async () => {
    const answer = await request((request) => text(String(of(request).get("a"))));
    expect(answer.status).toBe(500);
  });
});

test("signed values can be read by the client's own code, encrypted ones cannot", async () => {
  const sentBy = async (layer: Middleware, of: (request: RequestHead) => Cookies): Promise<string | undefined> => {
    const app = compose([layer], (request) => {
      of(request).set("who", "ann smith");
      return text("");
    });
    const line = (await request(app)).headers.get("set-cookie") ?? "";
    return readCookies(line.split(";", 1)[0] as string).get("who");
  };
  const secrets = [NEW];
  expect(await sentBy(signedCookies({ secrets }), signedCookiesOf)).toMatch(/^ann smith\./);
  const encrypted = await sentBy(encryptedCookies({ secrets }), encryptedCookiesOf);
  expect(Buffer.from(encrypted ?? "", "base64url").toString("latin1")).not.toContain("ann");
});

test("R-M7: two encryptions of one value have nothing in common", async () => {
  const app = compose([encryptedCookies({ secrets: [NEW] })], (request) => {
    encryptedCookiesOf(request).set("a", "same");
    encryptedCookiesOf(request).set("a2", "same");
    return text("");
  });
  const [one, two] = (await request(app)).headers.getAll("set-cookie").map((line) => line.replace(/^[^=]+=|;.*/g, ""));
  const [left, right] = [one, two].map((value) => Buffer.from(value ?? "", "base64url"));
  const same = [...(left as Buffer)].filter((byte, at) => byte === right?.[at]).length;
  expect(same).toBeLessThan(8); // the form byte, and chance
});
