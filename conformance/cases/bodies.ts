// Bodies in both directions: whole, streamed, too large, cut, left unread.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Handler, HeaderList, type HttpResponse, http, readText, text } from "@gw/core";
import { defineCase } from "../case.ts";

const LIMIT = 10_000_000; // R-H7

const echo: Handler = (request) => ({
  kind: "response",
  status: 200,
  headers: HeaderList.from({ "Content-Type": "application/octet-stream" }),
  body: request.body,
});

const digest: Handler = http(async (request) => {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of request.body) {
    hash.update(chunk);
    length += chunk.length;
  }
  return text(`${length} ${hash.digest("hex")}`);
});

function bytes(length: number): Uint8Array {
  return Buffer.alloc(length, "0123456789abcdefghijklmnopqrstuvwxyz\n");
}

function digestOf(data: Uint8Array): string {
  return `${data.length} ${createHash("sha256").update(data).digest("hex")}`;
}

async function* pieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

export const everyByte = defineCase({
  title: "a body with every byte value goes up and comes down unchanged",
  app: echo,
  async check({ fetch }) {
    const data = Uint8Array.from({ length: 512 }, (_, at) => at & 255);
    const answer = await fetch("/", { method: "POST", body: data });
    assert.deepEqual(new Uint8Array(answer.bytes), data);
  },
});

export const tenMegabytes = defineCase({
  title: "R-H7: a body of exactly 10 MB arrives whole",
  app: digest,
  async check({ fetch }) {
    const data = bytes(LIMIT);
    assert.equal((await fetch("/", { method: "POST", body: data })).text(), digestOf(data));
  },
});

export const tooLarge = defineCase({
  title: "R-H7: one byte more than 10 MB is a 413",
  app: digest,
  async check({ fetch }) {
    assert.equal((await fetch("/", { method: "POST", body: bytes(LIMIT + 1) })).status, 413);
  },
});

export const withoutLength = defineCase({
  title: "a body without a length arrives whole",
  needs: ["stream-up"],
  app: digest,
  async check({ fetch }) {
    const data = bytes(300_000);
    assert.equal((await fetch("/", { method: "POST", body: pieces(data, 7_001) })).text(), digestOf(data));
  },
});

export const tooLargeWithoutLength = defineCase({
  title: "R-H7: a body without a length that grows past 10 MB is a 413",
  needs: ["stream-up"],
  app: digest,
  async check({ fetch }) {
    assert.equal((await fetch("/", { method: "POST", body: pieces(bytes(LIMIT + 70_000), 65_536) })).status, 413);
  },
});

export const lengthIsTold = defineCase({
  title: "the app is told the length of a body, 0 for none",
  app: (request) => text(String(request.body.length)),
  async check({ fetch }) {
    assert.equal((await fetch("/")).text(), "0");
    assert.equal((await fetch("/", { method: "POST", body: bytes(5) })).text(), "5");
  },
});

export const unread = defineCase({
  title: "R-H8: an app that leaves the body unread is answered, and so is the next request",
  app: () => text("not read"),
  async check({ fetch }) {
    assert.equal((await fetch("/", { method: "POST", body: bytes(200_000) })).text(), "not read");
    assert.equal((await fetch("/")).text(), "not read");
  },
});

export const readTwice = defineCase({
  title: "a body read twice is an error of the app, not a silent empty body",
  app: http(async (request) => {
    await readText(request);
    try {
      for await (const _ of request.body) return text("read again");
    } catch (error) {
      return text((error as { code: string }).code);
    }
    return text("empty");
  }),
  async check({ fetch }) {
    assert.equal((await fetch("/", { method: "POST", body: bytes(10) })).text(), "GW_BODY_USED");
  },
});

export const syncIterable = defineCase({
  title: "a sync iterable is sent in its order",
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: [Buffer.from("one "), new Uint8Array(0), Buffer.from("two "), Buffer.from("three")],
  }),
  async check({ fetch }) {
    assert.equal((await fetch("/")).text(), "one two three");
  },
});

export const asyncIterable = defineCase({
  title: "an async iterable is sent in its order",
  app: () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: pieces(bytes(100_000), 999) }),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.deepEqual(Buffer.compare(answer.bytes, bytes(100_000)), 0);
  },
});

export const tooFewBytes = defineCase({
  title: "R-W4: an app that sends fewer bytes than it announced is visibly cut",
  breaksRules: true,
  needs: ["cut-visible"],
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from({ "Content-Length": "10" }),
    body: pieces(bytes(5), 5),
  }),
  async check({ fetch }) {
    assert.equal((await fetch("/")).isCut, true);
  },
});

export const tooManyBytes = defineCase({
  title: "R-W4: an app that sends more bytes than it announced never overruns its length",
  breaksRules: true,
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from({ "Content-Length": "5" }),
    body: pieces(bytes(50), 5),
  }),
  async check({ open }) {
    const answer = await open("/");
    let length = 0;
    try {
      for await (const chunk of answer.body) length += chunk.length;
    } catch {
      // being cut is right, too
    }
    assert.ok(length <= 5, `${length} bytes`);
  },
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("begun");
  throw new Error("the secret detail");
}

export const throwAfterHead = defineCase({
  title: "R-W5: a throw after the head is visibly cut, shows no detail, and the next request is served",
  breaksRules: true,
  needs: ["cut-visible"],
  app: (request): HttpResponse =>
    request.path === "/throw"
      ? { kind: "response", status: 200, headers: HeaderList.empty, body: failing() }
      : text("fine"),
  async check({ fetch }) {
    const broken = await fetch("/throw");
    assert.equal(broken.isCut, true);
    assert.ok(!broken.text().includes("secret"));
    assert.equal((await fetch("/")).text(), "fine");
  },
});
