import { accept, beginPhase, compose, createContext, inPhase, readText, text } from "@gw/core";
import { run } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type MetricsOptions, metrics } from "./metrics.ts";

async function linesAfter(options: MetricsOptions, targets: readonly (readonly [method: string, target: string])[]) {
  const context = createContext();
  const app = await run(
    compose([metrics(options)], ({ kind, path }) =>
      kind === "websocket" ? accept(async () => {}) : text("four", { status: path === "/no" ? 404 : 200 }),
    ),
    { context },
  );
  for (const [method, target] of targets) await app.request(target, { method });
  const socket = await app.openSocket("/chat");
  await socket.ended;
  await app.stop();
  return context.metrics.toText().split("\n");
}

test("counts exchanges, bytes and times when they have ended, sockets too", async () => {
  const lines = await linesAfter({}, [
    ["GET", "/"],
    ["GET", "/"],
    ["POST", "/no"],
  ]);
  expect(lines).toContain('gw_http_requests_total{method="GET",result="sent",status="200"} 2');
  expect(lines).toContain('gw_http_requests_total{method="POST",result="sent",status="404"} 1');
  expect(lines.some((line) => /^gw_http_requests_total\{method="GET",result="\w+",status="101"\} 1$/.test(line))).toBe(
    true,
  );
  expect(lines).toContain('gw_http_response_bytes_total{method="GET",result="sent",status="200"} 8');
  expect(lines).toContain('gw_http_request_duration_seconds_count{method="GET"} 2');
  expect(lines).toContain('gw_http_request_duration_seconds_count{method="websocket"} 1');
  expect(lines).toContain("gw_http_requests_in_flight 0");
});

test("clients cannot make up labels; the operator can", async () => {
  const lines = await linesAfter({ prefix: "shop", label: () => "cart" }, [
    ["BREW", "/"],
    ["get", "/"],
  ]);
  expect(lines).toContain('shop_requests_total{app="cart",method="other",result="sent",status="200"} 2');
});

test("bodies of requests are counted as far as they were read, announced length or not", async () => {
  const context = createContext();
  const app = await run(
    compose([metrics()], async (request) => {
      if (request.path === "/read") return text((await readText(request)).slice(0, 1));
      return text("unread");
    }),
    { context },
  );
  await app.request("/read", { method: "POST", body: "twelve bytes" });
  const lines = context.metrics.toText().split("\n");
  expect(lines).toContain('gw_http_request_bytes_total{method="POST",result="sent",status="200"} 12');
  expect(lines).toContain('gw_http_response_bytes_total{method="POST",result="sent",status="200"} 1');
  await app.stop();
});

test("what exchanges wait for is seen while they wait, and timed when the wait is over, whatever its end", async () => {
  const context = createContext();
  const gate = new Map<string, (error?: Error) => void>();
  const app = await run(
    compose([metrics({ label: () => "/shop", labels: ["/shop", "/quiet"] })], async ({ exchange, path }) => {
      const end = beginPhase(exchange, "queue");
      const error = await new Promise<Error | undefined>((done) => gate.set(path, done));
      end(error);
      end(error); // twice is once
      await inPhase(exchange, "spawn", () => Promise.resolve());
      return text("four");
    }),
    { context },
  );
  const lines = (): readonly string[] => context.metrics.toText().split("\n");
  expect(lines()).toEqual(
    expect.arrayContaining([
      'gw_http_requests_in_flight{app="/quiet"} 0',
      'gw_http_requests_waiting{app="/shop",phase="queue"} 0',
    ]),
  );
  const answers = [app.request("/a"), app.request("/b")];
  await expect.poll(() => gate.size).toBe(2);
  expect(lines()).toContain('gw_http_requests_waiting{app="/shop",phase="queue"} 2');
  expect(lines()).toContain('gw_http_requests_in_flight{app="/shop"} 2');
  gate.get("/a")?.(new Error("nobody is free"));
  gate.get("/b")?.();
  await Promise.all(answers);
  expect(lines()).toContain('gw_http_requests_waiting{app="/shop",phase="queue"} 0');
  expect(lines()).toContain('gw_http_wait_seconds_count{app="/shop",phase="queue"} 2');
  expect(lines()).toContain('gw_http_wait_seconds_bucket{app="/shop",phase="spawn",le="60"} 2');
  expect(lines()).toContain('gw_http_requests_in_flight{app="/shop"} 0');
  await app.stop();
});
