// Two WebSockets as one: the client's and the upstream's. Each direction goes at the pace of who reads it (R-H15).
import { isGatewayError, type WebSocketPeer } from "@gw/core";
import type { ProxySocket } from "./proxy-socket.ts";

/** "Bad gateway": the upstream's side broke (IANA WebSocket close codes). */
const BAD_GATEWAY = 1014;
/** No code was sent; it cannot be sent either. */
const NO_CODE = 1005;

/** Carries messages both ways until both sides have closed: one the way the other did. */
export async function relay(client: WebSocketPeer, upstream: ProxySocket): Promise<void> {
  // A client that is cut off closes nothing in order, and what waits for the upstream is nobody's any more.
  client.closed.then(({ code }) => {
    if (code === 1006) upstream.cut();
  });
  const up = carry(client, upstream.peer)
    .then(() => client.closed)
    .then((closure) => upstream.leave(closure));
  const down = carry(upstream.peer, client).then(() => closeClient(client, upstream));
  await Promise.all([up, down]);
}

/** Every message of one to the other, in order; over when there are no more, or when the other has closed. */
async function carry(from: WebSocketPeer, to: WebSocketPeer): Promise<void> {
  try {
    for await (const message of from) {
      const taken = to.send(message.isText ? message.text() : message.bytes);
      if (taken !== undefined) await taken;
    }
  } catch (error) {
    if (!isGatewayError(error, "GW_WEBSOCKET_CLOSED") && !isGatewayError(error, "GW_WEBSOCKET_SLOW")) throw error;
  }
}

async function closeClient(client: WebSocketPeer, upstream: ProxySocket): Promise<void> {
  const closure = await upstream.closure();
  if (closure === null) await client.close(BAD_GATEWAY, "the upstream broke off");
  else if (closure.code === NO_CODE) await client.close();
  else await client.close(closure.code, closure.reason);
}
