// The smallest ASGI-shaped app: ASGI 3.0, in TypeScript.
import type { AsgiApp } from "@gw/asgi";

const application: AsgiApp = async (_scope, _receive, send) => {
  await send({
    type: "http.response.start",
    status: 200,
    headers: [[Buffer.from("content-type"), Buffer.from("text/plain")]],
  });
  await send({ type: "http.response.body", body: Buffer.from("Hello, World!\n") });
};

export default application;
