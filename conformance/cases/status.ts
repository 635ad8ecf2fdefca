// Statuses, and which answers have a body.
import assert from "node:assert/strict";
import { HeaderList, text } from "@gw/core";
import { defineCase } from "../case.ts";

export const statusLine = defineCase({
  title: "every final status arrives as the app set it",
  app: (request) => text("body\n", { status: Number(request.path.slice(1)) }),
  async check({ fetch }) {
    for (const status of [200, 201, 299, 301, 404, 418, 451, 500, 599]) {
      const answer = await fetch(`/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.text(), "body\n");
    }
  },
});

export const noContent = defineCase({
  title: "R-H9: 204 and 304 have headers and no body",
  app: (request) => ({
    kind: "response",
    status: Number(request.path.slice(1)),
    headers: HeaderList.from({ "X-Kept": "yes" }),
    body: null,
  }),
  async check({ fetch }) {
    for (const status of [204, 304]) {
      const answer = await fetch(`/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("x-kept"), "yes");
      assert.equal(answer.bytes.length, 0);
    }
  },
});

export const emptyBody = defineCase({
  title: "an answer without a body is whole and empty",
  app: () => ({ kind: "response", status: 200, headers: HeaderList.from({ "X-Empty": "yes" }), body: null }),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-empty"), "yes");
    assert.equal(answer.bytes.length, 0);
    assert.equal(answer.isCut, false);
  },
});

export const head = defineCase({
  title: "R-H9: HEAD has the head of GET and no body",
  app: (request) => text(`method ${request.method}\n`, { headers: { "X-Method": request.method } }),
  async check({ fetch }) {
    const answer = await fetch("/", { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-method"), "HEAD");
    assert.equal(answer.bytes.length, 0);
  },
});

export const methods = defineCase({
  title: "the method arrives as sent, case kept, known or not",
  app: (request) => text(request.method),
  async check({ fetch }) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
      const answer = await fetch("/", { method, ...(method === "GET" ? {} : { body: new Uint8Array(0) }) });
      assert.equal(answer.text(), method);
    }
  },
});

export const throwBeforeHead = defineCase({
  title: "R-W5: a throw before the head is a 500 without detail, and the next request is served",
  app: (request) => {
    if (request.path === "/throw") throw new Error("the secret detail");
    return text("fine");
  },
  async check({ fetch }) {
    const broken = await fetch("/throw");
    assert.equal(broken.status, 500);
    assert.ok(!broken.text().includes("secret"));
    assert.equal((await fetch("/")).text(), "fine");
  },
});

export const rejection = defineCase({
  title: "R-W5: a rejection before the head is a 500 without detail",
  app: async () => {
    await Promise.resolve();
    throw new Error("the secret detail");
  },
  async check({ fetch }) {
    const broken = await fetch("/");
    assert.equal(broken.status, 500);
    assert.ok(!broken.text().includes("secret"));
  },
});
