// The floor: records over node:net, with no rule, limit or check, and variables only searched for words: `node-responder.mjs SOCKET`.
import { createServer } from "node:net";

const none = Buffer.alloc(0);
const big = Buffer.alloc(1 << 20, "x");

function record(type, content) {
  const header = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return content.length === 0 ? [header] : [header, content];
}

function answer(body) {
  const pieces = record(6, Buffer.from(`Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`, "latin1"));
  for (let at = 0; at < body.length; at += 65_535) pieces.push(...record(6, body.subarray(at, at + 65_535)));
  return [...pieces, ...record(6, none), ...record(3, Buffer.alloc(8))];
}

const hello = Buffer.concat(answer(Buffer.from("hello\n")));
const bigAnswer = answer(big);

createServer((socket) => {
  const header = Buffer.alloc(8);
  let [have, content, padding, sum] = [0, 0, 0, 0];
  let params = "";
  let isKept = false;
  const respond = () => {
    if (params.includes("QUERY_STRINGbig")) {
      socket.cork();
      for (const piece of bigAnswer) socket.write(piece);
      socket.uncork();
    } else if (sum > 0) socket.write(Buffer.concat(answer(Buffer.from(String(sum).padStart(8, "0")))));
    else socket.write(hello);
    if (!isKept) socket.end();
  };
  const take = (type, bytes) => {
    if (type === 1) {
      isKept = bytes[2] === 1;
      params = "";
      sum = 0;
    } else if (type === 4) params += bytes.latin1Slice(0, bytes.length);
    else if (type === 5) sum += bytes.length;
  };
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (have < 8) {
        header[have++] = chunk[at++];
        if (have < 8) continue;
        content = header.readUInt16BE(4);
        padding = header[6];
        if (content === 0 && header[1] === 5) respond();
      } else if (content > 0) {
        const end = Math.min(chunk.length, at + content);
        take(header[1], chunk.subarray(at, end));
        content -= end - at;
        at = end;
      } else {
        const skipped = Math.min(padding, chunk.length - at);
        padding -= skipped;
        at += skipped;
      }
      if (have === 8 && content === 0 && padding === 0) have = 0;
    }
  });
}).listen(process.argv[2]);
