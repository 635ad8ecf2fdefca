// Apps for the tests of the adapters: JavaScript, so that every Node can load them.
import { appendFileSync } from "node:fs";

const encode = (text) => new TextEncoder().encode(text);
const start = { type: "http.response.start", status: 200, headers: [[encode("content-type"), encode("text/plain")]] };
const end = (text) => ({ type: "http.response.body", body: encode(text) });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** The five-line app of the README: it ignores what the scope is. */
export default async function application(_scope, _receive, send) {
  await send({ type: "http.response.start", status: 200, headers: [[encode("content-type"), encode("text/plain")]] });
  await send({ type: "http.response.body", body: encode("Hello, World!") });
}

async function* bodyOf(receive) {
  for (;;) {
    const event = await receive();
    if (event.type === "http.disconnect") throw new Error("disconnected");
    if (event.body?.length > 0) yield event.body;
    if (!event.more_body) return;
  }
}

const pages = {
  async scope(scope, _receive, send) {
    const { method, path, root_path, http_version, headers, extensions } = scope;
    const names = [...headers].map((pair) => pair.map((bytes) => Buffer.from(bytes).toString("latin1")));
    const query = Buffer.from(scope.query_string).toString();
    const user = extensions?.["gw.principal"]?.user;
    await send(start);
    await send(end(JSON.stringify({ method, path, root_path, http_version, query, user, names })));
  },
  async echo(_scope, receive, send) {
    await send(start);
    for await (const chunk of bodyOf(receive)) await send({ type: "http.response.body", body: chunk, more_body: true });
    await send(end(""));
  },
  async slow(_scope, _receive, send) {
    await pause(20);
    await send(start);
    await send(end("slow"));
  },
  async throws() {
    throw new RangeError("the app is broken");
  },
  async breaks(_scope, _receive, send) {
    await send(start);
    await send({ type: "http.response.body", body: encode("first"), more_body: true });
    throw new Error("in the middle");
  },
  async loops() {
    for (;;);
  },
  async never() {
    await new Promise(() => {});
  },
  async exits() {
    process.exit(3);
  },
  async large(scope, _receive, send) {
    await send(start);
    const chunk = new Uint8Array(65_536).fill(120);
    for (let left = Number(Buffer.from(scope.query_string).toString()); left > 0; left -= chunk.length)
      await send({ type: "http.response.body", body: chunk, more_body: true });
    await send(end(""));
  },
  async endless(scope, receive, send) {
    const note = Buffer.from(scope.query_string).toString();
    await send(start);
    const gone = receive().then(async (event) => (event.type === "http.request" ? receive() : event));
    try {
      for (;;) await send({ type: "http.response.body", body: new Uint8Array(1_000), more_body: true });
    } finally {
      appendFileSync(note, `${(await gone).type}\n`);
    }
  },
  async hints(_scope, _receive, send) {
    await send({ type: "http.response.early_hint", links: [encode("</a.css>; rel=preload")] });
    await send(start);
    await send(end("hinted"));
  },
  async life(_scope, _receive, send) {
    await send(start);
    await send(end(life));
  },
};

let life = "not started";

/** One page for each path; notes its life. */
export async function site(scope, receive, send) {
  if (scope.type === "lifespan") {
    await receive();
    life = "started";
    await send({ type: "lifespan.startup.complete" });
    await receive();
    if (process.env.GW_TEST_LIFE) appendFileSync(process.env.GW_TEST_LIFE, "stopped\n");
    return send({ type: "lifespan.shutdown.complete" });
  }
  await pages[scope.path.split("/").at(-1)](scope, receive, send);
}

/** Its startup fails. */
export async function failing(_scope, receive, send) {
  await receive();
  await send({ type: "lifespan.startup.failed", message: "no database" });
}
