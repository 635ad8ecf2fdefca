// Our responder under measurement: `node fastcgi-server.ts SOCKET`.
import { HeaderList, type HttpRequest, type HttpResponse } from "@gw/core";
import { serveFastcgi } from "@gw/fastcgi";

const big = new Uint8Array(1 << 20).fill(120);
const hello = new TextEncoder().encode("hello\n");

function answer(body: Uint8Array): HttpResponse {
  const headers = HeaderList.from({ "Content-Type": "text/plain", "Content-Length": String(body.length) });
  return { kind: "response", status: 200, headers, body };
}

async function counted(request: HttpRequest): Promise<HttpResponse> {
  let sum = 0;
  for await (const chunk of request.body) sum += chunk.length;
  return answer(new TextEncoder().encode(String(sum).padStart(8, "0")));
}

const server = serveFastcgi(
  (request) => {
    if (request.kind !== "http") return answer(hello);
    if (request.query === "big") return answer(big);
    return request.method === "POST" ? counted(request) : answer(hello);
  },
  { listen: `unix:${process.argv[2]}` },
);
await server.ready;
process.on("SIGTERM", () => process.exit(0));
