// The same work as a task of piscina: a request in, an answer out.
const body = new TextEncoder().encode("Hello, World!\n");
const never = new Int32Array(new SharedArrayBuffer(4));

export default function task({ path }) {
  if (path === "/block") Atomics.wait(never, 0, 0, 20);
  return { status: 200, headers: ["Content-Type", "text/plain", "Content-Length", String(body.length)], body };
}
