// The floor: node:http and kept connections of node:net, with no rule, limit or check: `node-front.mjs PORT SOCKET ROOT`.
import { createServer } from "node:http";
import { connect } from "node:net";

const [port, socketPath, root] = process.argv.slice(2);
const idle = [];

const length = (n) =>
  n < 128 ? String.fromCharCode(n) : String.fromCharCode(128, (n >> 16) & 255, (n >> 8) & 255, n & 255);
const pair = (name, value) => length(name.length) + length(value.length) + name + value;
const header = (type, size) => String.fromCharCode(1, type, 0, 1, size >> 8, size & 255, 0, 0);

function opening(request) {
  const path = request.url;
  const { host, "content-length": size = "", "content-type": type = "" } = request.headers;
  const params =
    pair("SCRIPT_FILENAME", root + path) +
    pair("SCRIPT_NAME", path) +
    pair("DOCUMENT_ROOT", root) +
    pair("REQUEST_URI", path) +
    pair("QUERY_STRING", "") +
    pair("REQUEST_METHOD", request.method) +
    pair("CONTENT_LENGTH", size) +
    pair("CONTENT_TYPE", type) +
    pair("SERVER_PROTOCOL", "HTTP/1.1") +
    pair("GATEWAY_INTERFACE", "CGI/1.1") +
    pair("REMOTE_ADDR", "127.0.0.1") +
    pair("SERVER_NAME", "localhost") +
    pair("SERVER_PORT", port) +
    pair("HTTP_HOST", host);
  const begin = `${header(1, 8)}\x00\x01\x01\x00\x00\x00\x00\x00`;
  return begin + header(4, params.length) + params + header(4, 0) + (size === "" ? header(5, 0) : "");
}

class Backend {
  #socket = connect(socketPath);
  #response;
  #isHeadSent = false;
  #header = Buffer.alloc(8);
  #have = 0;
  #content = 0;
  #padding = 0;

  constructor() {
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.on("error", () => {});
  }

  ask(request, response) {
    this.#response = response;
    this.#isHeadSent = false;
    this.#socket.write(opening(request), "latin1");
    if (request.headers["content-length"] === undefined) return;
    request.on("data", (chunk) => {
      this.#socket.cork();
      for (let at = 0; at < chunk.length; at += 65_535) {
        const slice = chunk.subarray(at, at + 65_535);
        this.#socket.write(header(5, slice.length), "latin1");
        this.#socket.write(slice);
      }
      this.#socket.uncork();
    });
    request.on("end", () => this.#socket.write(header(5, 0), "latin1"));
  }

  #read(chunk) {
    for (let at = 0; at < chunk.length; ) {
      if (this.#have < 8) {
        this.#header[this.#have++] = chunk[at++];
        if (this.#have < 8) continue;
        this.#content = this.#header.readUInt16BE(4);
        this.#padding = this.#header[6];
      } else if (this.#content > 0) {
        const end = Math.min(chunk.length, at + this.#content);
        if (this.#header[1] === 6) this.#write(chunk.subarray(at, end));
        this.#content -= end - at;
        at = end;
      } else {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      }
      if (this.#have === 8 && this.#content === 0 && this.#padding === 0) {
        this.#have = 0;
        if (this.#header[1] === 3) this.#end();
      }
    }
  }

  /** What PHP writes first holds the whole head. */
  #write(bytes) {
    if (this.#isHeadSent) return this.#response.write(bytes);
    this.#isHeadSent = true;
    const text = bytes.latin1Slice(0, Math.min(bytes.length, 1_024));
    const end = text.indexOf("\r\n\r\n");
    const fields = text
      .slice(0, end)
      .split("\r\n")
      .flatMap((line) => line.split(/: */, 2));
    this.#response.writeHead(200, fields);
    if (bytes.length < 1_024) this.#response.write(text.slice(end + 4), "latin1");
    else this.#response.write(bytes.subarray(end + 4));
  }

  #end() {
    this.#response.end();
    idle.push(this);
  }
}

createServer((request, response) => (idle.pop() ?? new Backend()).ask(request, response)).listen(
  Number(port),
  "127.0.0.1",
);
