// One server of the WebSocket benchmark, in a process of its own: echoes every message; prints its port.
import type { AddressInfo } from "node:net";
import { type AsgiApp, fromAsgi } from "@gw/asgi";
import { HeaderList, type WebSocketAccept } from "@gw/core";
import { serve } from "@gw/http";
import { WebSocketServer } from "ws";

function conversation(): WebSocketAccept {
  return {
    kind: "accept",
    subprotocol: null,
    headers: HeaderList.empty,
    run: async (peer) => {
      for await (const message of peer) {
        const sent = peer.send(message.isText ? message.text() : message.bytes);
        if (sent !== undefined) await sent;
      }
    },
  };
}

const echo: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new TypeError(`no ${scope.type} here`);
  await receive(); // websocket.connect
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") return;
    const { text, bytes } = event;
    await send(
      text == null ? { type: "websocket.send", bytes: bytes as Uint8Array } : { type: "websocket.send", text },
    );
  }
};

if (process.argv[2] === "ws") {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.on("listening", () => console.log((server.address() as AddressInfo).port));
} else {
  const server = serve(process.argv[2] === "gw, ASGI shape" ? fromAsgi(echo) : conversation, { bind: "127.0.0.1:0" });
  await server.ready;
  console.log(Number(new URL(server.url).port));
}
