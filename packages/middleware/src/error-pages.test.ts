import { compose, GatewayError, guard, HeaderList, json, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { basicAuth } from "./basic-auth.ts";
import { errorPageKind } from "./error-pages/kind.ts";
import { errorPages } from "./error-pages.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const secret = (): never => {
  throw new GatewayError("GW_TEST", 502, "the database at 10.0.0.7 refused user root");
};
const missing = (): never => {
  throw new GatewayError("GW_TEST", 404, "no file /srv/www/x");
};

describe("which form", () => {
  test.each([
    [null, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["image/png", "text"],
    [BROWSER, "html"],
    ["application/json", "json"],
    ["application/json, text/plain, */*", "json"],
    ["application/problem+json", "json"],
    ["text/html;q=0.1, application/json", "json"],
    ["application/json;q=0, text/html", "html"],
    ["TEXT/HTML ; q=1", "html"],
    ["text/plain, text/html;q=0.9", "text"],
    ["text/html;q=nonsense", "text"],
  ])("Accept %j: %s", (accept, kind) => {
    expect(errorPageKind(accept)).toBe(kind);
  });
});

describe("errors that were thrown", () => {
  test.each([
    ["through the layer", secret],
    ["inside a guard", guard(secret)],
    ["later", async () => secret()],
  ])("%s become a page without details", async (_where, handler) => {
    const answer = await request(compose([errorPages()], handler), "/", { headers: { Accept: BROWSER } });
    expect(answer.status).toBe(502);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("vary")).toBe("Accept");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.text()).toContain("<h1>Bad Gateway</h1>");
    expect(answer.text()).not.toMatch(/10\.0\.0\.7|user root|GW_TEST/);
  });

  test("4xx messages are details, too", async () => {
    for (const accept of [BROWSER, "application/json", "*/*"]) {
      const answer = await request(compose([errorPages()], guard(missing)), "/", { headers: { Accept: accept } });
      expect(answer.status).toBe(404);
      expect(answer.text()).not.toContain("/srv");
    }
  });

  test("clients that ask for JSON get a problem (RFC 9457)", async () => {
    const answer = await request(compose([errorPages()], missing), "/", { headers: { Accept: "application/json" } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json()).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      requestId: expect.stringMatching(/^[\w-]{8,}$/),
    });
  });

  test("others get plain text", async () => {
    const answer = await request(compose([errorPages()], missing));
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.text()).toMatch(/^404 Not Found\nThere is nothing at this address\.\nReference [\w-]+\n$/);
  });

  test("fields that belong to the status stay", async () => {
    const handler = (): never => {
      throw new GatewayError("GW_TEST", 503, "busy", { headers: HeaderList.from({ "Retry-After": "7" }) });
    };
    const answer = await request(compose([errorPages()], handler), "/", { headers: { Accept: BROWSER } });
    expect(answer.headers.get("retry-after")).toBe("7");
  });
});

describe("refusals and empty answers", () => {
  test("a refusal of our layers becomes a page and keeps its challenge", async () => {
    const app = compose([errorPages(), basicAuth({ users: {} })], () => text("inside"));
    const answer = await request(app, "/", { headers: { Accept: BROWSER } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Basic /);
    expect(answer.text()).toContain("Please sign in");
    expect(answer.headers.getAll("content-type")).toEqual(["text/html; charset=utf-8"]);
  });

  test("an error status without a body becomes a page", async () => {
    const app = compose([errorPages()], () => ({
      kind: "response",
      status: 405,
      headers: HeaderList.from({ Allow: "GET" }),
      body: null,
    }));
    const answer = await request(app, "/", { headers: { Accept: BROWSER } });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
    expect(answer.text()).toContain("<h1>Method Not Allowed</h1>");
  });
});

describe("what an app says stays", () => {
  test.each([
    ["its own 404 page", () => text("not here", { status: 404 })],
    ["its own JSON error", () => json({ error: "x" }, { status: 422 })],
    [
      "a success without a body",
      () => ({ kind: "response" as const, status: 204, headers: HeaderList.empty, body: null }),
    ],
    [
      "a redirect",
      () => ({ kind: "response" as const, status: 302, headers: HeaderList.from({ Location: "/" }), body: null }),
    ],
  ])("%s", async (_what, handler) => {
    const headers = { Accept: BROWSER };
    const [plain, layered] = [
      await request(handler, "/", { headers }),
      await request(compose([errorPages()], handler), "/", { headers }),
    ];
    expect([layered.status, layered.text(), [...layered.headers]]).toEqual([
      plain.status,
      plain.text(),
      [...plain.headers],
    ]);
  });

  test("also when it caught an error and answers another way", async () => {
    const inner = guard(secret);
    const handler = async (asked: Parameters<typeof inner>[0]) => {
      await inner(asked);
      return text("we know: 503", { status: 503 });
    };
    const same = async (asked: Parameters<typeof inner>[0]) => {
      await inner(asked);
      return text("we know: 502", { status: 502 });
    };
    const answers = [handler, same].map((one) =>
      request(compose([errorPages()], one), "/", { headers: { Accept: BROWSER } }),
    );
    expect((await Promise.all(answers)).map((answer) => answer.text())).toEqual(["we know: 503", "we know: 502"]);
  });
});

test("a socket's refusal stays short", async () => {
  const { response } = await openSocket(compose([errorPages()], missing), "/", { headers: { Accept: BROWSER } });
  expect(response?.status).toBe(404);
  expect(response?.text()).not.toContain("<");
});

test("R-M13: the page has the security headers; a page of one's own keeps them", async () => {
  const html = ({ status, title, sentence, requestId }: Record<string, unknown>) =>
    `<h1>${status} ${title}</h1><p>${sentence}</p>${requestId}`;
  for (const layer of [errorPages(), errorPages({ html: html as never })]) {
    const answer = await request(compose([layer], missing), "/", { headers: { Accept: BROWSER } });
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("the answer that a page replaces is closed once", async () => {
  let closed = 0;
  const handler = () => ({
    ...text("", { status: 500 }),
    headers: HeaderList.empty,
    body: null,
    close: () => void closed++,
  });
  await request(compose([errorPages()], handler));
  expect(closed).toBe(1);
});

test("a sync pipeline makes no promise, page or not", () => {
  for (const handler of [missing, () => text("ok")]) {
    const app = compose([errorPages()], handler);
    expect(promisesMadeBy(() => void app.handle(testRequest()))).toBe(0);
  }
});
