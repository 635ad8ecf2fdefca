// npm fastcgi-client behind node:http: `fastcgi-client.mjs PORT SOCKET ROOT`, with node_modules of the working directory.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [port, sockFile, root] = process.argv.slice(2);
const connector = createRequire(join(process.cwd(), "package.json"))("fastcgi-client");
const client = connector({ sockFile, skipCheckServer: true, maxConns: 8, maxReqs: 8 });

/** The package gives bytes only: status and fields are the caller's to read. */
function forward(stdout, response) {
  let head = "";
  const read = (chunk) => {
    head += chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    stdout.off("data", read);
    for (const line of head.slice(0, end).split("\r\n")) {
      const colon = line.indexOf(":");
      if (!/^status$/i.test(line.slice(0, colon)))
        response.setHeader(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    response.write(Buffer.from(head.slice(end + 4), "latin1"));
    stdout.pipe(response);
  };
  stdout.on("data", read);
}

const server = createServer((request, response) => {
  const [path, query = ""] = request.url.split("?");
  const params = {
    SCRIPT_FILENAME: root + path,
    SCRIPT_NAME: path,
    DOCUMENT_ROOT: root,
    REQUEST_URI: request.url,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method,
    SERVER_PROTOCOL: "HTTP/1.1",
    GATEWAY_INTERFACE: "CGI/1.1",
    REMOTE_ADDR: request.socket.remoteAddress,
    SERVER_NAME: "localhost",
    SERVER_PORT: port,
    HTTP_HOST: request.headers.host,
    CONTENT_LENGTH: request.headers["content-length"] ?? "",
    CONTENT_TYPE: request.headers["content-type"] ?? "",
  };
  client.request(params, (error, call) => {
    if (error) return response.writeHead(502, { "Content-Length": 0 }).end();
    request.pipe(call.stdin);
    forward(call.stdout, response);
  });
});
client.on("ready", () => server.listen(Number(port), "127.0.0.1"));
