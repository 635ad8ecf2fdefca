// Both sides of a connection: each rule by itself, and the two machines driven against each other.
import { cutsOf } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { ApplicationConnection, type ApplicationEvent, type ApplicationOptions } from "./application.ts";
import { RecordType } from "./constants.ts";
import {
  writeAbortRequest,
  writeBeginRequest,
  writeEndRequest,
  writeGetValues,
  writeGetValuesResult,
  writeUnknownType,
} from "./control.ts";
import { writeParams } from "./params.ts";
import { writeRecord } from "./record.ts";
import { RequesterConnection, type RequesterEvent } from "./requester.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const join = (...pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));
const params = (id: number, pairs: [string, string][]): Uint8Array =>
  join(writeRecord(RecordType.params, id, writeParams(pairs)), writeRecord(RecordType.params, id, bytes("")));
const stdin = (id: number, text: string): Uint8Array => writeRecord(RecordType.stdin, id, bytes(text));
const opening = (id: number, keep = true): Uint8Array =>
  join(writeBeginRequest(id, "responder", keep), params(id, [["A", "1"]]));
const opened = (id: number, keepConnection = true): ApplicationEvent => ({
  kind: "request",
  id,
  role: "responder",
  keepConnection,
  params: new Map([["A", "1"]]),
});

const feed = (input: Uint8Array, options: ApplicationOptions = {}): ApplicationEvent[] =>
  new ApplicationConnection(options).feed(input);

/** Joins neighbouring pieces of one stream, which a cut may have made two of. */
function merged(events: readonly (ApplicationEvent | RequesterEvent)[]): unknown[] {
  const out: Record<string, unknown>[] = [];
  for (const event of events) {
    const last = out.at(-1);
    const isStream = "bytes" in event && event.kind !== "reply";
    const isSame = isStream && last?.kind === event.kind && last.id === (event as { id: number }).id;
    if (isSame) last.bytes = `${last.bytes as string}${Buffer.from(event.bytes).toString()}`;
    else out.push(isStream ? { ...event, bytes: Buffer.from(event.bytes).toString() } : { ...event });
  }
  return out;
}

describe("the application's side", () => {
  const whole = join(opening(1), stdin(1, "hello"), stdin(1, ""));

  test.each(cutsOf(whole).map((chunks) => ({ chunks })))(
    "R-F1: reads a request however its bytes are cut",
    ({ chunks }) => {
      const connection = new ApplicationConnection();
      const events = chunks.flatMap((chunk) => connection.feed(chunk));
      expect(merged(events)).toEqual([
        opened(1),
        { kind: "input", id: 1, bytes: "hello" },
        { kind: "inputEnd", id: 1 },
      ]);
    },
  );

  test("R-F1: params may be cut into records anywhere, between the lengths too", () => {
    const pairs = writeParams([["A", "1"]]);
    const records = Array.from(pairs, (byte) => writeRecord(RecordType.params, 1, Uint8Array.of(byte)));
    const input = join(
      writeBeginRequest(1, "responder", true),
      ...records,
      writeRecord(RecordType.params, 1, bytes("")),
    );
    expect(feed(input)).toEqual([opened(1)]);
  });

  test("R-F4: interleaved requests are told apart", () => {
    const input = join(opening(1), opening(2), stdin(2, "two"), stdin(1, "one"), stdin(2, ""), stdin(1, ""));
    expect(merged(feed(input))).toEqual([
      opened(1),
      opened(2),
      { kind: "input", id: 2, bytes: "two" },
      { kind: "input", id: 1, bytes: "one" },
      { kind: "inputEnd", id: 2 },
      { kind: "inputEnd", id: 1 },
    ]);
  });

  test("R-F4: what is too much is refused with the status the specification has for it", () => {
    const single = feed(join(opening(1), opening(2)), { maxRequests: 1 });
    expect(single).toEqual([opened(1), { kind: "reply", bytes: writeEndRequest(2, 0, "cannotMultiplex") }]);
    const both = feed(join(opening(1), opening(2), opening(3, false)), { maxRequests: 2 });
    expect(both.slice(2)).toEqual([{ kind: "reply", bytes: writeEndRequest(3, 0, "overloaded") }, { kind: "close" }]);
  });

  test("R-F3: management records are answered at any time, and the connection lives on", () => {
    const asked = writeGetValues(["FCGI_MAX_CONNS", "FCGI_MPXS_CONNS", "OTHER"]);
    const values = new Map([
      ["FCGI_MAX_CONNS", "10"],
      ["FCGI_MPXS_CONNS", "1"],
    ]);
    const input = join(
      writeBeginRequest(1, "responder", true),
      asked,
      writeRecord(77, 0, bytes("?")),
      params(1, [["A", "1"]]),
    );
    expect(feed(input, { values })).toEqual([
      { kind: "reply", bytes: writeGetValuesResult(["FCGI_MAX_CONNS", "FCGI_MPXS_CONNS"], values) },
      { kind: "reply", bytes: writeUnknownType(77) },
      opened(1),
    ]);
  });

  test("R-F5: FCGI_ABORT_REQUEST is told once for a request that is under way", () => {
    expect(feed(join(opening(1), writeAbortRequest(1), writeAbortRequest(9)))).toEqual([
      opened(1),
      { kind: "abort", id: 1 },
    ]);
  });

  describe("R-F5, R-F7: FCGI_ABORT_REQUEST before the end of FCGI_PARAMS", () => {
    const ended: ApplicationEvent = { kind: "reply", bytes: writeEndRequest(3, 1, "complete") };
    const begin = writeBeginRequest(3, "responder", true);

    test("ends the request at once, and the id is free again", () => {
      const connection = new ApplicationConnection();
      expect(connection.feed(join(begin, writeAbortRequest(3), writeAbortRequest(3)))).toEqual([ended]);
      expect(connection.activeRequests).toBe(0);
      expect(connection.feed(opening(3))).toEqual([opened(3)]);
    });

    test("late records of it are ignored: no request comes of them", () => {
      const half = writeRecord(RecordType.params, 3, writeParams([["A", "1"]]));
      const late = join(params(3, [["B", "2"]]), stdin(3, "late"), stdin(3, ""));
      expect(feed(join(begin, half, writeAbortRequest(3), late, opening(1)))).toEqual([ended, opened(1)]);
    });

    test("many take no places of others", () => {
      const connection = new ApplicationConnection({ maxRequests: 2 });
      for (let at = 0; at < 5; at++) expect(connection.feed(join(begin, writeAbortRequest(3)))).toEqual([ended]);
      expect(connection.feed(opening(1))).toEqual([opened(1)]);
    });

    test("closes a connection that was not to be kept", () => {
      const input = join(writeBeginRequest(3, "responder", false), writeAbortRequest(3));
      expect(feed(input)).toEqual([ended, { kind: "close" }]);
    });
  });

  test("R-F6: records of ids not in use, DATA for a responder, and late records are ignored", () => {
    const connection = new ApplicationConnection();
    const data = writeRecord(RecordType.data, 1, bytes("data"));
    expect(connection.feed(join(stdin(5, "nobody"), opening(1), data, stdin(1, ""), stdin(1, "late")))).toEqual([
      opened(1),
      { kind: "inputEnd", id: 1 },
    ]);
    connection.finish(1);
    expect(connection.activeRequests).toBe(0);
    expect(connection.feed(stdin(1, "later"))).toEqual([]);
    expect(connection.feed(opening(1))).toEqual([opened(1)]);
  });

  test("R-F6: an unknown role is answered with FCGI_UNKNOWN_ROLE, as is one that is not served", () => {
    const unknown = writeRecord(RecordType.beginRequest, 1, Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
    expect(feed(join(unknown, params(1, [])))).toEqual([
      { kind: "reply", bytes: writeEndRequest(1, 0, "unknownRole") },
    ]);
    expect(feed(writeBeginRequest(1, "filter", true))).toEqual([
      { kind: "reply", bytes: writeEndRequest(1, 0, "unknownRole") },
    ]);
  });

  test("a filter gets its data after its input", () => {
    const begin = join(writeBeginRequest(1, "filter", true), params(1, []), stdin(1, "in"), stdin(1, ""));
    const data = join(writeRecord(RecordType.data, 1, bytes("file")), writeRecord(RecordType.data, 1, bytes("")));
    expect(merged(feed(join(begin, data), { roles: ["filter"] })).slice(1)).toEqual([
      { kind: "input", id: 1, bytes: "in" },
      { kind: "inputEnd", id: 1 },
      { kind: "data", id: 1, bytes: "file" },
      { kind: "dataEnd", id: 1 },
    ]);
  });

  test("R-F8: too many variables make one request invalid; the next is served", () => {
    const events = feed(
      join(
        writeBeginRequest(1, "responder", true),
        params(1, [
          ["A", "1"],
          ["B", "2"],
        ]),
        opening(2),
      ),
      { maxPairs: 1 },
    );
    expect(events[0]).toMatchObject({ kind: "invalid", id: 1, keepConnection: true, error: { code: "GW_FCGI_LIMIT" } });
    expect(events.slice(1)).toEqual([opened(2)]);
  });

  test.each([
    ["a begin for an id in use", join(opening(1), opening(1)), "FCGI_BEGIN_REQUEST for id 1, which is in use"],
    ["a begin with id 0", writeBeginRequest(0, "responder", true), "FCGI_BEGIN_REQUEST with the id 0"],
    [
      "a begin that is too short",
      writeRecord(RecordType.beginRequest, 1, bytes("abc")),
      "expected 8 bytes of FCGI_BEGIN_REQUEST, found 3",
    ],
    [
      "input before the variables",
      join(writeBeginRequest(1, "responder", true), stdin(1, "x")),
      "FCGI_STDIN of request 1 before the end",
    ],
  ])("R-F7: %s ends the connection", (_title, input, message) => {
    expect(() => feed(input)).toThrow(message);
  });
});

describe("the web server's side", () => {
  const answer = join(
    writeRecord(RecordType.stdout, 1, bytes("out")),
    writeRecord(RecordType.stderr, 1, bytes("err")),
    writeRecord(RecordType.stdout, 1, bytes("")),
    writeEndRequest(1, 3, "complete"),
  );

  test.each(cutsOf(answer).map((chunks) => ({ chunks })))("reads an answer however its bytes are cut", ({ chunks }) => {
    const connection = new RequesterConnection();
    expect(connection.begin()).toBe(1);
    expect(merged(chunks.flatMap((chunk) => connection.feed(chunk)))).toEqual([
      { kind: "output", id: 1, bytes: "out" },
      { kind: "error", id: 1, bytes: "err" },
      { kind: "end", id: 1, appStatus: 3, protocolStatus: "complete" },
    ]);
    expect(connection.isClean).toBe(true);
  });

  test("R-F13, R-F15: a record of an id that is not under way ends the connection", () => {
    const connection = new RequesterConnection();
    connection.begin();
    expect(connection.feed(writeRecord(RecordType.stdout, 2, bytes("x")))).toEqual([]);
    expect(connection.failure?.message).toBe("a record of request 2, which is not under way");
  });

  test("R-F13: bytes after the end of an answer take nothing from it, and the connection is not clean", () => {
    const after = new RequesterConnection();
    after.begin();
    const events = after.feed(join(answer, writeRecord(RecordType.stdout, 1, bytes("left over"))));
    expect(events.at(-1)).toMatchObject({ kind: "end", id: 1 });
    expect(after.failure?.message).toContain("not under way");
    expect(after.isClean).toBe(false);
    expect(after.feed(answer)).toEqual([]);
  });

  test("a record only web servers send ends the connection", () => {
    const connection = new RequesterConnection();
    connection.begin();
    connection.feed(writeRecord(RecordType.stdin, 1, bytes("x")));
    expect(connection.failure?.message).toBe("a record of type 5 from an application");
  });

  test("a status that does not exist is told as null", () => {
    const connection = new RequesterConnection();
    connection.begin();
    const odd = writeEndRequest(1, 0, "complete");
    odd[12] = 9;
    expect(connection.feed(odd)).toEqual([{ kind: "end", id: 1, appStatus: 0, protocolStatus: null }]);
  });

  test("half a record is not clean", () => {
    const connection = new RequesterConnection();
    connection.begin();
    connection.feed(join(answer, answer.subarray(0, 3)));
    expect(connection.isClean).toBe(false);
    expect(() => connection.end()).toThrow("the peer closed inside a record");
  });
});

test("the two sides understand each other: ids, values, three requests at once", () => {
  const server = new RequesterConnection();
  const application = new ApplicationConnection({ maxRequests: 3 });
  const ids = [server.begin(), server.begin(), server.begin()];
  expect(ids).toEqual([1, 2, 3]);
  const asked = join(
    writeGetValues(["FCGI_MPXS_CONNS"]),
    ...ids.map((id) => opening(id)),
    ...ids.map((id) => stdin(id, "")),
  );
  const answers: Uint8Array[] = [];
  for (const event of application.feed(asked)) {
    if (event.kind === "reply") answers.push(event.bytes);
    if (event.kind !== "inputEnd") continue;
    answers.push(
      writeRecord(RecordType.stdout, event.id, bytes(`answer ${event.id}`)),
      writeEndRequest(event.id, 0, "complete"),
    );
    application.finish(event.id);
  }
  expect(merged(server.feed(join(...answers)))).toEqual([
    { kind: "values", values: new Map([["FCGI_MPXS_CONNS", "1"]]) },
    ...ids.flatMap((id) => [
      { kind: "output", id, bytes: `answer ${id}` },
      { kind: "end", id, appStatus: 0, protocolStatus: "complete" },
    ]),
  ]);
  expect([server.isClean, application.activeRequests]).toEqual([true, 0]);
});
