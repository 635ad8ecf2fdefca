// The raw ASGI app of bench/python-apps in TypeScript.
import type { AsgiApp } from "@gw/asgi";

const encoder = new TextEncoder();
const body = encoder.encode("Hello, World!");
const headers = [
  [encoder.encode("content-type"), encoder.encode("text/plain")],
  [encoder.encode("content-length"), encoder.encode("13")],
] as const;

export const app: AsgiApp = async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body });
};
