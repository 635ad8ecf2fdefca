// What pages of other sites can do to this one in a real browser: `csrf` and `cors`, met by forms, scripts and sockets of Chromium.
import { accept, compose, type GatewayRequest, html, json, layer, type Middleware, readText } from "@gw/core";
import { serve, type WebSocketOptions } from "@gw/http";
import { openPage } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { cors } from "../src/cors.ts";
import { csrf } from "../src/csrf.ts";

/** A shop, and pages elsewhere that know where it is. */
interface Web {
  readonly shop: string;
  /** Another origin of the same site, which the shop lists. */
  readonly partner: string;
  /** Another origin of the same site, which it does not list. */
  readonly neighbour: string;
  /** Another site. */
  readonly stranger: string;
  /** What came to the shop's door: method, path, and whether with its cookie. */
  readonly arrived: string[];
  /** What got through to its app. */
  readonly served: string[];
}

const formTo = (action: string): string => `<form method="post" action="${action}"><button>Pay</button></form>`;
const noted = (request: GatewayRequest): string =>
  `${request.method} ${request.path}${request.headers.get("cookie") === "who=ann" ? " as ann" : ""}`;

async function open(app: Parameters<typeof serve>[0], webSocket: WebSocketOptions = {}): Promise<string> {
  const server = serve(app, { bind: "127.0.0.1:0", webSocket: { ...webSocket, closeTimeoutMs: 100 } });
  await server.ready;
  onTestFinished(() => server.close());
  return new URL(server.url).origin;
}

async function openWeb(): Promise<Web> {
  const [arrived, served]: [string[], string[]] = [[], []];
  let shop = "";
  const elsewhere = (): Promise<string> =>
    open(() => html(`<!doctype html><title>elsewhere</title>${formTo(`${shop}/pay`)}`));
  const [partner, neighbour, far] = [await elsewhere(), await elsewhere(), await elsewhere()];
  const door: Middleware = layer({
    name: "door",
    onRequest(request) {
      arrived.push(noted(request));
      return request;
    },
  });
  const layers = [
    door,
    cors({ origins: [partner], credentials: true, methods: ["GET", "PUT"], exposeHeaders: ["X-Total"] }),
    csrf({ origins: [partner] }),
  ];
  const stranger = far.replace("127.0.0.1", "localhost");
  // The server would refuse other origins' sockets by itself: here the layer shall.
  const webSocket = { allowedOrigins: [partner, neighbour, stranger] };
  shop = await open(
    compose(layers, (request) => shopApp(request, served)),
    webSocket,
  );
  return { shop, partner, neighbour, stranger, arrived, served };
}

function shopApp(request: GatewayRequest, served: string[]) {
  served.push(noted(request));
  if (request.kind === "websocket") {
    return accept(async (peer) => {
      await peer.send("welcome");
      await peer.close(1000, "");
    });
  }
  if (request.path === "/") {
    const page = html(`<!doctype html><title>shop</title>${formTo("/pay")}`);
    return { ...page, headers: page.headers.with("Set-Cookie", "who=ann; HttpOnly; SameSite=Lax; Path=/") };
  }
  return answerOf(request);
}

async function answerOf(request: Exclude<GatewayRequest, { kind: "websocket" }>) {
  const answer = json({ who: request.headers.get("cookie"), sent: await readText(request) });
  return { ...answer, headers: answer.headers.with("X-Total", "1") };
}

/** What a script asks with. */
interface Ask {
  readonly credentials: "include" | "omit";
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What a script of the page gets: the answer, or the browser's refusal to show it. */
function ask(page: Page, url: string, init: Ask): Promise<string> {
  const script = async ([target, options]: [string, Ask]): Promise<string> => {
    try {
      const answer = await fetch(target, options);
      return `${answer.status} total=${answer.headers.get("x-total")} ${await answer.text()}`;
    } catch (error) {
      return (error as Error).name;
    }
  };
  return page.evaluate(script, [url, init] as [string, Ask]);
}

/** What comes of a socket that a script of the page opens. */
function openSocket(page: Page, url: string): Promise<string> {
  const script = (target: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(target);
      socket.onmessage = ({ data }) => resolve(String(data));
      socket.onerror = () => resolve("refused");
    });
  return page.evaluate(script, url.replace("http", "ws"));
}

/** Presses the page's button, and gives the status of what it leads to. */
async function pay(page: Page, from: string, shop: string): Promise<number> {
  await page.goto(from);
  const [answer] = await Promise.all([page.waitForResponse(`${shop}/pay`), page.click("button")]);
  await page.waitForURL(`${shop}/pay`);
  return answer.status();
}

requires("chromium")("R-M10: forms and sockets of other origins are refused, this site's own pass", async () => {
  const { shop, partner, neighbour, stranger, arrived, served } = await openWeb();
  const { page } = await openPage();
  await page.goto(shop); // sets the cookie
  expect(await pay(page, stranger, shop)).toBe(403);
  expect(await pay(page, neighbour, shop)).toBe(403);
  expect(await page.textContent("body")).not.toContain("who");
  // SameSite keeps the cookie from the stranger's form alone: what refuses the neighbour's is the layer.
  expect(arrived.filter((one) => one.startsWith("POST"))).toEqual(["POST /pay", "POST /pay as ann"]);
  expect(served.filter((one) => one.startsWith("POST"))).toEqual([]);
  expect(await pay(page, shop, shop)).toBe(200);
  expect(await pay(page, partner, shop)).toBe(200);
  expect(served.filter((one) => one.startsWith("POST"))).toEqual(["POST /pay as ann", "POST /pay as ann"]);

  for (const [from, seen] of [
    [stranger, "refused"],
    [neighbour, "refused"],
    [partner, "welcome"],
  ] as const) {
    await page.goto(from);
    expect(`${from}: ${await openSocket(page, `${shop}/socket`)}`).toBe(`${from}: ${seen}`);
  }
  const sockets = (lines: readonly string[]): string[] => lines.filter((one) => one.includes("/socket"));
  expect(sockets(arrived)).toEqual(["GET /socket", "GET /socket as ann", "GET /socket as ann"]);
  expect(sockets(served)).toEqual(["GET /socket as ann"]);
});

requires("chromium")("R-M11: the listed origin reads with the user's cookie, and no other", async () => {
  const { shop, partner, neighbour, stranger, served } = await openWeb();
  const { page } = await openPage();
  await page.goto(shop);
  const withCookie = { credentials: "include" } as const;
  await page.goto(partner);
  expect(await ask(page, `${shop}/data`, withCookie)).toBe('200 total=1 {"who":"who=ann","sent":""}');
  expect(await ask(page, `${shop}/data`, { credentials: "omit" })).toBe('200 total=1 {"who":null,"sent":""}');
  for (const from of [neighbour, stranger]) {
    await page.goto(from);
    expect(await ask(page, `${shop}/data`, withCookie)).toBe("TypeError");
  }
  // Reading changes nothing, so the app was asked: it is the browser that shows the answer to nobody.
  const asked = served.filter((one) => one.startsWith("GET /data"));
  expect(asked).toEqual(["GET /data as ann", "GET /data", "GET /data as ann", "GET /data"]);
});

requires("chromium")("R-M11: a preflight lets through what is listed, and the app sees nothing else", async () => {
  const { shop, partner, neighbour, arrived, served } = await openWeb();
  const { page } = await openPage();
  await page.goto(shop);
  const put: Ask = {
    method: "PUT",
    body: "{}",
    headers: { "Content-Type": "application/json", "X-Own": "1" },
    credentials: "include",
  };
  await page.goto(partner);
  expect(await ask(page, `${shop}/data`, put)).toBe('200 total=1 {"who":"who=ann","sent":"{}"}');
  expect(await ask(page, `${shop}/other`, { ...put, method: "DELETE" })).toBe("TypeError");
  await page.goto(neighbour);
  expect(await ask(page, `${shop}/third`, put)).toBe("TypeError");
  // A request that needs no question, as the oldest forms could send it, is the other layer's to refuse.
  expect(await ask(page, `${shop}/fourth`, { method: "POST", body: "a=1", credentials: "include" })).toBe("TypeError");
  const ofScripts = (lines: readonly string[]): string[] =>
    lines.filter((one) => !/^GET \/(favicon.*)?( as ann)?$/.test(one));
  expect(ofScripts(arrived)).toEqual([
    "OPTIONS /data",
    "PUT /data as ann",
    "OPTIONS /other",
    "OPTIONS /third",
    "POST /fourth as ann",
  ]);
  expect(ofScripts(served)).toEqual(["PUT /data as ann"]);
});
