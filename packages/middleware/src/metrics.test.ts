import { accept, compose, createContext, text } from "@gw/core";
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
