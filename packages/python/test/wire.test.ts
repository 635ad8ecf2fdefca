import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { BatchDecoder } from "../src/codec/batch-decoder.ts";
import { BatchWriter, rawBodyHead } from "../src/codec/batch-writer.ts";
import { FROM_PYTHON, TO_PYTHON } from "../src/codec/frames.ts";
import { MarshalReader } from "../src/codec/marshal-reader.ts";
import { interpreters } from "./interpreters.ts";

const DECODE = `
import sys
sys.path.insert(0, sys.argv[1])
import gw_worker_wire as wire
data = sys.stdin.buffer.read()
def decode(chunks):
    decoder = wire.Decoder()
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]
whole = decode([data])
for at in range(len(data)):
    assert decode([data[:at], data[at:]]) == whole, at
assert decode([data[at:at + 1] for at in range(len(data))]) == whole
print(ascii(whole))
`;

const ENCODE = `
import sys, http
sys.path.insert(0, sys.argv[1])
import gw_worker_wire as wire
class Name(str): pass
frames = [
    (wire.FULL, 1, http.HTTPStatus.NOT_FOUND, [(Name("X-A"), "\\xe9")], False, b"body"),
    wire.raw(2, wire.CHUNK, memoryview(b"raw")),
    (wire.MESSAGE, 3, "\\uc548"),
    (wire.FULL, 4, 200, [(object(), "x")], False, b""),
]
sys.stdout.buffer.write(b"".join(wire.encode(frames)))
`;

const scripts = join(import.meta.dirname, "../py");
const python = (path: string, code: string, input = Buffer.alloc(0)): Buffer =>
  execFileSync(path, ["-c", code, scripts], { input });

for (const { version, path } of interpreters()) {
  requires(path)(`Python ${version} reads what we write, however it is cut`, () => {
    const writer = new BatchWriter();
    writer.request(TO_PYTHON.REQUEST, 1, 6, (marshal) => {
      marshal.dict();
      marshal.name("PATH_INFO");
      marshal.text("/é");
      marshal.endDict();
      marshal.byteString("\u00ff");
      marshal.value({ user: "안", list: [1, 0.5, true, null] });
      marshal.lowerName("Accept");
    });
    const raw = [rawBodyHead(2, 3, true), Buffer.from("abc")];
    const batch = writer.take() as Buffer;
    writer.frame(TO_PYTHON.GONE, 3, 2);
    const bytes = Buffer.concat([batch, ...raw, writer.take() as Buffer]);
    expect(python(path, DECODE, bytes).toString().trim()).toBe(
      "[(0, 1, {'PATH_INFO': '/\\xe9'}, b'\\xff', {'user': '\\uc548', 'list': [1, 0.5, True, None]}, b'accept'), " +
        "(1, 2, b'abc', True), (2, 3)]",
    );
  });

  requires(path)(`we read what Python ${version} writes, and one bad frame harms no other`, () => {
    const [first, raw, last] = new BatchDecoder().feed(python(path, ENCODE));
    if (first?.kind !== "batch" || last?.kind !== "batch") throw new Error("batches expected");
    const one = new MarshalReader(first.bytes);
    expect([one.list(), one.sequence(), one.int(), one.int(), one.int()]).toEqual([1, 6, FROM_PYTHON.FULL, 1, 404]);
    expect([one.pairs(), one.boolean(), Buffer.from(one.bytes()).toString()]).toEqual([["X-A", "é"], false, "body"]);
    expect(raw).toMatchObject({ kind: "raw", stream: 2, op: FROM_PYTHON.CHUNK, isLast: true });
    const two = new MarshalReader(last.bytes);
    expect([two.list(), two.sequence(), two.int(), two.int(), two.text()]).toEqual([
      2,
      3,
      FROM_PYTHON.MESSAGE,
      3,
      "안",
    ]);
    expect([two.sequence(), two.int(), two.int()]).toEqual([3, FROM_PYTHON.FAIL, 4]);
    expect(two.text()).toBe("cannot send a value of type object");
    expect(two.isAtEnd).toBe(true);
  });
}
