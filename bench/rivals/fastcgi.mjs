// npm node-fastcgi: `fastcgi.mjs SOCKET`, with node_modules of the working directory.
import { createRequire } from "node:module";
import { join } from "node:path";

const { createServer } = createRequire(join(process.cwd(), "package.json"))("node-fastcgi");
const big = Buffer.alloc(1 << 20, "x");
const send = (response, body) => {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
  response.end(body);
};
createServer((request, response) => {
  if (request.url.endsWith("?big")) return send(response, big);
  if (request.method !== "POST") return send(response, Buffer.from("hello\n"));
  let sum = 0;
  request.on("data", (chunk) => {
    sum += chunk.length;
  });
  request.on("end", () => send(response, Buffer.from(String(sum).padStart(8, "0"))));
}).listen(process.argv[2]);
