// Apps for the tests of threads: JavaScript, so that every Node can load them.
import { appendFileSync, closeSync, openSync, readSync } from "node:fs";
import { threadId } from "node:worker_threads";

const encode = (text) => new TextEncoder().encode(text);
const plain = [["Content-Type", "text/plain"]];

/** PEP 3333's own. */
export default function application(_environ, startResponse) {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [encode("Hello, World!")];
}

/** Blocks the thread, as a driver for a database would. */
function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const pages = {
  environ(environ) {
    const facts = Object.entries(environ).filter(
      ([, value]) => typeof value !== "object" && typeof value !== "function",
    );
    return JSON.stringify({
      ...Object.fromEntries(facts),
      session: environ["app.session"],
      version: environ["wsgi.version"],
    });
  },
  thread: () => String(threadId),
  echo: (environ) => environ["wsgi.input"].read(),
  lines: (environ) => JSON.stringify(environ["wsgi.input"].readlines().map((line) => line.length)),
  loop() {
    for (;;);
  },
  sleep(environ) {
    block(Number(environ.QUERY_STRING));
    return String(threadId);
  },
  exit: () => process.exit(7),
  throw() {
    throw new TypeError("the app is broken");
  },
  stray() {
    setTimeout(() => {
      throw new Error("left lying about");
    });
    return "ok";
  },
  unread: () => "not read",
  readsLater(environ) {
    setImmediate(() => environ["wsgi.input"].read());
    return "ok";
  },
  errors(environ) {
    environ["wsgi.errors"].write("first line\nsecond ");
    environ["wsgi.errors"].write("line\n");
    return "ok";
  },
  late: () => JSON.stringify({ ticks }),
};

let ticks = 0;
setInterval(() => ticks++, 1).unref();

/** What a path of `pages` gives, with the status that fits. */
export function site(environ, startResponse) {
  const name = environ.PATH_INFO.slice(1);
  const given = pages[name](environ);
  startResponse("200 OK", plain);
  return [typeof given === "string" ? encode(given) : given];
}

/** Gives `QUERY_STRING` bytes in chunks of 64 KiB; notes in a file when it is closed, and how far it came. */
export function download(environ, startResponse) {
  startResponse("200 OK", plain);
  const chunk = new Uint8Array(65_536).fill(120);
  const { size, note } = Object.fromEntries(new URLSearchParams(environ.QUERY_STRING));
  let given = 0;
  return {
    *[Symbol.iterator]() {
      while (given < Number(size)) {
        given += chunk.length;
        yield chunk;
      }
    },
    close() {
      if (note !== undefined) appendFileSync(note, `closed after ${given}\n`);
    },
  };
}

/** The same through `write()`. */
export function writer(environ, startResponse) {
  const write = startResponse("200 OK", plain);
  const chunk = new Uint8Array(65_536).fill(120);
  for (let given = 0; given < Number(environ.QUERY_STRING); given += chunk.length) write(chunk);
  return [encode("end")];
}

/** Reads the body to its end and gives its length. */
export function upload(environ, startResponse) {
  let length = 0;
  for (let chunk = environ["wsgi.input"].read(65_536); chunk.length > 0; chunk = environ["wsgi.input"].read(65_536)) {
    length += chunk.length;
  }
  startResponse("200 OK", plain);
  return [encode(String(length))];
}

/** Breaks after the head. */
export function broken(_environ, startResponse) {
  startResponse("200 OK", plain);
  return (function* () {
    yield encode("first");
    throw new Error("in the middle");
  })();
}

/** Hangs after the head. */
export function hangsLater(_environ, startResponse) {
  startResponse("200 OK", plain);
  return (function* () {
    yield encode("first");
    for (;;);
  })();
}

/** Gives its first chunk before the body has come, then one for each piece of it. */
export function chat(environ, startResponse) {
  startResponse("200 OK", plain);
  return (function* () {
    yield encode("ready");
    for (const line of environ["wsgi.input"]) yield line;
  })();
}

/** Hints, a file and `exc_info`. */
export function extras(environ, startResponse) {
  environ["wsgi.early_hints"]?.([["Link", "</a.css>; rel=preload"]]);
  const file = openSync(import.meta.filename, "r");
  startResponse("404 Not Found", [["X-First", "1"]]);
  startResponse("200 OK", plain, [Error, new Error("replaced"), null]);
  return environ["wsgi.file_wrapper"]({
    read(size) {
      const bytes = new Uint8Array(size);
      return bytes.subarray(0, readSync(file, bytes));
    },
    close: () => closeSync(file),
  });
}

let life = "not started";

/** A life, as `toWsgi` hangs it on the function. */
export function living(_environ, startResponse) {
  startResponse("200 OK", plain);
  return [encode(life)];
}
living.start = () => {
  life = "started";
};
living.stop = () => appendFileSync(process.env.GW_TEST_LIFE, "stopped\n");

export const noFunction = 42;
