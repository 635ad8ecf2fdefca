// The app of the thread benchmark: `/hello` at once, `/block` after 20 ms in which the thread can do nothing else.
const body = new TextEncoder().encode("Hello, World!\n");
const head = [
  ["Content-Type", "text/plain"],
  ["Content-Length", String(body.length)],
];
const never = new Int32Array(new SharedArrayBuffer(4));

export default function application(environ, startResponse) {
  if (environ.PATH_INFO === "/block") Atomics.wait(never, 0, 0, 20);
  startResponse("200 OK", head);
  return [body];
}
