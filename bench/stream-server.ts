// The servers of the memory and throughput benchmark, in a process of their own: `up` counts a body, `down` sends one, `echo` passes it through.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type AppSource, HeaderList, text } from "@gw/core";
import { serve } from "@gw/http";

const chunk = new Uint8Array(65_536).fill(120);
const headers = HeaderList.from({ "Content-Type": "application/octet-stream" });

function* chunks(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= chunk.length) yield left >= chunk.length ? chunk : chunk.subarray(0, left);
}

const ours: AppSource = async (request) => {
  request.exchange.maxBodyBytes = Number.POSITIVE_INFINITY;
  if (request.path === "/echo") return { kind: "response", status: 200, headers, body: request.body };
  if (request.path === "/down") return { kind: "response", status: 200, headers, body: chunks(Number(request.query)) };
  let bytes = 0;
  for await (const part of request.body) bytes += part.length;
  return text(String(bytes));
};

const raw: RequestListener = (request, response) => {
  const [path, query] = (request.url as string).split("?");
  if (path === "/echo") {
    request.pipe(response.writeHead(200));
    return;
  }
  if (path === "/up") {
    let bytes = 0;
    request.on("data", (part) => {
      bytes += part.length;
    });
    request.on("end", () => response.end(String(bytes)));
    return;
  }
  response.writeHead(200);
  const source = chunks(Number(query));
  const write = (): void => {
    for (;;) {
      const next = source.next();
      if (next.done) return void response.end();
      if (!response.write(next.value)) return void response.once("drain", write);
    }
  };
  write();
};

const kind = process.argv[2];
if (kind === "node:http") {
  const server = createServer(raw).listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
} else {
  const server = serve(ours, { bind: "127.0.0.1:0", http: kind === "gw, HTTP/2" ? 2 : 1 });
  await server.ready;
  console.log(Number(new URL(server.url).port));
}
