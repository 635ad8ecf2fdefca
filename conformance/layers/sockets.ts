// Opens a WebSocket over HTTP/1.1 and over HTTP/2 (RFC 8441), and says what came of it: a refusal, or the first message.
import { once } from "node:events";
import { request as nodeRequest } from "node:http";
import { connect } from "node:http2";
import { HeaderList } from "@gw/core";
import type { ClientRequest } from "@gw/testing";
import type { WholeAnswer } from "./cgi-rules.ts";

type Fields = NonNullable<ClientRequest["headers"]>;

/** Opens a socket at an HTTP/1.1 server. A socket that was accepted counts as 200, with its first message as text. */
export async function openOverHttp1(port: number, target: string, fields: Fields): Promise<WholeAnswer> {
  const upgrade = ["Host", "localhost", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13"];
  const headers = [...upgrade, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", ...fields.flat()];
  const asking = nodeRequest({ host: "127.0.0.1", port, path: target, agent: false, headers });
  asking.end();
  return new Promise((resolve, reject) => {
    asking.on("error", reject);
    asking.on("response", async (answer) => {
      let text = "";
      for await (const chunk of answer.setEncoding("latin1")) text += chunk;
      resolve({ status: answer.statusCode ?? 0, headers: HeaderList.fromWire(answer.rawHeaders), text });
    });
    asking.on("upgrade", (answer, socket, first) => {
      const read = messageReader((text) => {
        socket.destroy();
        resolve({ status: 200, headers: HeaderList.fromWire(answer.rawHeaders), text });
      });
      socket.on("error", () => {});
      socket.on("data", read);
      read(first);
    });
  });
}

/** Opens a socket at an HTTP/2 server. */
export async function openOverHttp2(port: number, target: string, fields: Fields): Promise<WholeAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  await once(session, "remoteSettings"); // where the server says that it takes extended CONNECT
  const pseudo = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": target };
  const own = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
  const headers = { ...pseudo, ":authority": "localhost", "sec-websocket-version": "13", ...own };
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => {});
  try {
    const [answered] = (await once(stream, "response")) as [Record<string, string | string[] | number>];
    const status = Number(answered[":status"]);
    const pairs = Object.entries(answered).filter(([name]) => !name.startsWith(":"));
    const list = HeaderList.from(
      pairs.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)] as const)),
    );
    if (status !== 200) {
      let text = "";
      for await (const chunk of stream.setEncoding("latin1")) text += chunk;
      return { status, headers: list, text };
    }
    const text = await new Promise<string>((resolve) => stream.on("data", messageReader(resolve)));
    return { status, headers: list, text };
  } finally {
    session.destroy();
  }
}

/** Gives the first text message of a server (RFC 6455 §5.2: not masked, shorter than 64 kB). */
function messageReader(give: (text: string) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    if (held.length < 2) return;
    const short = held.readUInt8(1);
    const start = short === 126 ? 4 : 2;
    if (held.length < start) return;
    const length = short === 126 ? held.readUInt16BE(2) : short;
    if (held.length >= start + length) give(held.toString("latin1", start, start + length));
  };
}
