import { accept, compose, GatewayError, guard, layer, text, webSocket, withPrincipal } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { tracedErrors } from "./show-exceptions/trace.ts";
import { showExceptions } from "./show-exceptions.ts";

const HTML = { Accept: "text/html,*/*;q=0.8" };
const explode = (): never => {
  throw new Error("boom <b>", { cause: new TypeError("deep & down") }); // the line that the page marks
};
const broken = compose([showExceptions()], () => explode());

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("showExceptions", () => {
  test("shows a browser the error, its causes and the source where it was thrown, escaped, and lets nothing run", async () => {
    const answer = await request(broken, "/x?<i>", { headers: HTML });
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("vary")).toBe("Accept");
    const page = answer.text();
    expect(page).toContain("<h1>boom &lt;b&gt;</h1>");
    expect(page).toContain('<p class="kind">Caused by TypeError</p>\n<h2>deep &amp; down</h2>');
    expect(page).toMatch(/<mark><span data-line="\d+">.*the line that the page marks<\/span><\/mark>/);
    expect(page).toMatch(/src\/show-exceptions\.test\.ts:\d+:\d+/);
    expect(page).not.toMatch(/<b>|<i>|<script/);
  });

  test("opens the first frame of the app and shows no source of what is not the app's", async () => {
    const page = (await request(broken, "/", { headers: HTML })).text();
    expect(page.match(/<details open>/g)?.length).toBe(2); // of the error, and of its cause
    expect(page.match(/<details.*?<code>explode<\/code>/)?.[0]).toContain("<details open>");
    const frames = tracedErrors(vitestError())[0]?.frames ?? [];
    expect(frames.some(({ at }) => at.includes("node_modules"))).toBe(true);
    for (const { at, source } of frames) if (at.includes("node_modules")) expect(source).toEqual([]);
  });

  test("shows a terminal the same as text, and clients of JSON as a problem", async () => {
    const plain = await request(broken, "/");
    expect(plain.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(plain.text()).toMatch(/^GET \/ HTTP\/1\.1 → 500\n\nError: boom <b>\n {4}at explode /);
    expect(plain.text()).toContain("Caused by: TypeError: deep & down\n");
    const problem = await request(broken, "/", { headers: { Accept: "application/json" } });
    expect(problem.headers.get("content-type")).toBe("application/problem+json");
    expect(problem.json()).toMatchObject({
      status: 500,
      title: "boom <b>",
      errors: [{ name: "Error" }, { name: "TypeError" }],
    });
  });

  test("shows no secrets: fields that may hold one, secret parameters, the body", async () => {
    const secret = "s3cr3t-value";
    const headers: [string, string][] = [
      ["Authorization", `Bearer ${secret}`],
      ["Proxy-Authorization", secret],
      ["Cookie", `sid=${secret}`],
      ["X-API-Key", secret],
      ["X-CSRF-Token", secret],
      ["Gateway-Identity", secret],
      ["X-Amz-Signature", secret],
      ["Referer", `https://a.example/?access_token=${secret}&x=1`],
      ["X-Plain", "seen"],
    ];
    for (const accept of ["text/html", "application/json", "text/plain"]) {
      const init = { method: "POST", body: secret, headers: [...headers, ["Accept", accept] as [string, string]] };
      const answer = await request(broken, `/?token=${secret}`, init);
      expect(answer.text()).not.toContain(secret);
    }
    const page = (
      await request(broken, `/?token=${secret}`, { headers: [...headers, ["Accept", "text/html"]] })
    ).text();
    expect(page).toContain('<th scope="row">Authorization</th><td>(hidden)</td>');
    expect(page).toContain('<th scope="row">X-Plain</th><td>seen</td>');
    expect(page).toContain("?token=***");
    expect(page).toContain("access_token=***&amp;x=1");
  });

  test("names the user that a layer further in has found", async () => {
    const as = layer({
      name: "as",
      onRequest: (head) => withPrincipal(head, { user: "ann", type: "Basic", groups: [], claims: {} }),
    });
    const app = compose([showExceptions(), as], () => explode());
    expect((await request(app, "/", { headers: HTML })).text()).toContain("<td>ann (Basic)</td>");
  });

  test("leaves alone what an app answers itself, client errors and sockets", async () => {
    const own = compose([showExceptions()], () => text("my own 500", { status: 500 }));
    expect((await request(own, "/")).text()).toBe("my own 500");
    const rescued = layer({ name: "rescued", onResponse: () => text("sorry", { status: 500 }) });
    expect((await request(compose([showExceptions(), rescued], guard(explode)), "/")).text()).toBe("sorry");
    const refused = compose([showExceptions()], () => {
      throw new GatewayError("GW_X", 404, "not here");
    });
    expect((await request(refused, "/")).text()).toBe("404 Not Found\nnot here\n");
    const echo = webSocket(() => accept((peer) => peer.close(1000, "bye")));
    const socket = await openSocket(compose([showExceptions()], echo), "/");
    expect(socket.response).toBeNull();
    await socket.ended;
  });

  test("keeps the status and the fields of the error, and what inner layers added", async () => {
    const marked = layer({ name: "marked", onResponse: (a) => ({ ...a, headers: a.headers.append("X-Inner", "1") }) });
    const busy = guard(() => {
      throw new GatewayError("GW_BUSY", 503, "no room", { headers: [["Retry-After", "1"]] });
    });
    const answer = await request(compose([showExceptions(), marked], busy), "/", { headers: HTML });
    expect([answer.status, answer.headers.get("retry-after"), answer.headers.get("x-inner")]).toEqual([503, "1", "1"]);
    expect(answer.text()).toContain('<p class="kind">GW_BUSY</p>');
  });

  test("refuses to be made with NODE_ENV=production, unless forced", () => {
    vi.stubEnv("NODE_ENV", "production");
    expect(() => showExceptions()).toThrow("NODE_ENV=production");
    expect(showExceptions({ force: true }).layerName).toBe("showExceptions");
  });
});

describe("errors", () => {
  test("what the message says is no frame: no file can be read by making an app throw its name", () => {
    const error = new Error("no such item:\n    at steal (/etc/passwd:1:1)\n    at more (file:///etc/hosts.js:1:1)");
    const frames = tracedErrors(error)[0]?.frames ?? [];
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.filter(({ at }) => at.startsWith("/etc/"))).toEqual([]);
  });

  test("what was thrown may be anything", async () => {
    expect(tracedErrors("just text")).toEqual([{ name: "", message: "just text", frames: [], stack: "just text" }]);
    expect(tracedErrors({ code: 7 })[0]?.message).toBe('{"code":7}');
    const textless: unknown = { toString: null, toJSON: () => BigInt(1) };
    const app = compose([showExceptions()], async () => Promise.reject(textless));
    expect((await request(app, "/", { headers: HTML })).text()).toContain("something that has no text");
  });

  test("a circle of causes is shown only so far, and the errors of an AggregateError are shown", async () => {
    const circle = new Error("round");
    circle.cause = circle;
    expect(tracedErrors(circle)).toHaveLength(8);
    const both = new AggregateError([new Error("one"), new Error("two")], "both");
    expect(tracedErrors(both).map(({ message }) => message)).toEqual(["both", "one", "two"]);
  });
});

/** An error whose stack goes through a package of node_modules. */
function vitestError(): unknown {
  try {
    vi.fn(() => {
      throw new Error("through a package");
    })();
  } catch (error) {
    return error;
  }
  return null;
}
