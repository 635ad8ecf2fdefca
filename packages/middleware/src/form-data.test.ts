import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Answer,
  bufferBody,
  compose,
  encodeText,
  http,
  isGatewayError,
  json,
  layer,
  type RequestHead,
  text,
} from "@gw/core";
import { bodySource, cutsOf, request, run } from "@gw/core/testing";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type FormDataOptions, type FormPart, formData, formOf } from "./form-data.ts";

const BOUNDARY = "----gwFormBoundary";
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

/** A part as browsers write it. */
const partOf = (name: string, value: string | Uint8Array, file?: { fileName: string; type: string }): Buffer =>
  Buffer.concat([
    Buffer.from(
      file === undefined
        ? `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`
        : `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="${file.fileName}"\r\nContent-Type: ${file.type}\r\n\r\n`,
    ),
    Buffer.from(value),
    Buffer.from("\r\n"),
  ]);
const formOfParts = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);

/** Every byte value, and what looks like the boundary but is none. */
const tricky = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, at) => at)),
  Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}\r\n--\r\n\r\n--`),
]);
const sample = formOfParts(
  partOf("title", "Grüße, 안녕"),
  partOf("tag", "a"),
  partOf("tag", "b"),
  partOf("photo", tricky, { fileName: "été.png", type: "image/png" }),
  partOf("empty", "", { fileName: "", type: "application/octet-stream" }),
);

interface Seen {
  fields: [string, string][];
  files: { name: string; fileName: string; type: string; size: number; bytes: string }[];
}

const seenForm = async (head: RequestHead): Promise<Seen> => {
  const form = await formOf(head).read();
  const files = form.files.map(async (file) => ({
    name: file.name,
    fileName: file.fileName,
    type: file.type,
    size: file.size,
    bytes: Buffer.from(await file.bytes()).toString("hex"),
  }));
  return { fields: [...form.fields], files: await Promise.all(files) };
};

const expected: Seen = {
  fields: [
    ["title", "Grüße, 안녕"],
    ["tag", "a"],
    ["tag", "b"],
  ],
  files: [
    { name: "photo", fileName: "été.png", type: "image/png", size: tricky.length, bytes: tricky.toString("hex") },
    { name: "empty", fileName: "", type: "application/octet-stream", size: 0, bytes: "" },
  ],
};

const reading = (options: FormDataOptions = {}) =>
  compose(
    [formData(options)],
    http(async (head) => json(await seenForm(head))),
  );

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

const post = (
  app: Parameters<typeof request>[0],
  body: Uint8Array | string | AsyncIterable<Uint8Array>,
  type: string = MULTIPART,
) => request(app, "/", { method: "POST", body, headers: { "Content-Type": type } });

/** What a refused form says: status and the message's line. */
const refusalOf = async (options: FormDataOptions, body: Uint8Array | string, type?: string): Promise<string> => {
  const { status, text: says } = await post(reading(options), body, type);
  return `${status} ${says().split("\n")[1]}`;
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "gw-form-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("formData", () => {
  test("reads fields and files of a multipart form", async () => {
    expect((await post(reading(), sample)).json()).toEqual(expected);
  });

  test("reads the same however the form is cut, in two at every byte and byte by byte", async () => {
    const app = await run(reading());
    for (const chunks of cutsOf(sample)) {
      const answer = await app.request("/", {
        method: "POST",
        body: chunksOf(chunks),
        headers: { "Content-Type": MULTIPART },
      });
      expect(answer.json(), `cut after ${chunks[0]?.length}`).toEqual(expected);
    }
    await app.stop();
  });

  test("a form that ends early is a 400, wherever it ends", async () => {
    const app = await run(reading());
    const whole = sample.length - 4; // the closing delimiter may lack its last line break, and no less
    for (let at = 0; at < whole; at++) {
      const headers = { "Content-Type": MULTIPART };
      const answer = await app.request("/", { method: "POST", body: sample.subarray(0, at), headers });
      expect(answer.status, `ended after ${at} bytes`).toBe(400);
    }
    await app.stop();
  });

  test("bytes that are no form give an answer, and never hang or throw past the layer", async () => {
    const app = await run(reading({ maxMemoryBytes: 8 }));
    const piece = fc.oneof(
      fc.constantFrom(
        `--${BOUNDARY}`,
        "--",
        "\r\n",
        "\r",
        'Content-Disposition: form-data; name="a"',
        "; filename=b",
        ":",
        '"',
      ),
      fc.string({ maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 24 }), async (pieces) => {
        const answer = await app.request("/", {
          method: "POST",
          body: chunksOf(pieces.filter((one) => one !== "").map(encodeText)),
          headers: { "Content-Type": MULTIPART },
        });
        expect([200, 400, 413]).toContain(answer.status);
      }),
      { numRuns: 300 },
    );
    await app.stop();
  });

  test("reads a urlencoded form the same way, at once where the body is there", async () => {
    let isSync = false;
    const app = compose(
      [layer({ name: "held", onRequest: (head) => bufferBody(head) }), formData()],
      http((head) => {
        const form = formOf(head).read();
        if (!("fields" in form)) return form.then(() => text("later"));
        isSync = true;
        return json([[...form.fields], form.file("a")]);
      }),
    );
    const { json: read } = await request(app, "/", {
      method: "POST",
      body: "a=1&b=%C3%BC+x&a=2",
      headers: { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" },
    });
    expect(read()).toEqual([
      [
        ["a", "1"],
        ["b", "ü x"],
        ["a", "2"],
      ],
      null,
    ]);
    expect(isSync).toBe(true);
  });

  test("a body of another type is a 415 when a form is asked for, and untouched when not", async () => {
    expect((await post(reading(), "{}", "application/json")).status).toBe(415);
    const passing = compose(
      [formData({ load: "eager" })],
      http((head) => text(String(formOf(head).isForm))),
    );
    expect((await post(passing, "{}", "application/json")).text()).toBe("false");
  });

  test("a form that is not asked for stays in the body for what is inside", async () => {
    const app = compose(
      [formData()],
      http(async (head) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of head.body) chunks.push(chunk);
        return text(String(Buffer.concat(chunks).equals(sample)));
      }),
    );
    expect((await post(app, sample)).text()).toBe("true");
  });

  test("read before the app, a form is there for a sync app", async () => {
    const app = compose(
      [formData({ load: "eager" })],
      http((head): Answer => text(`${formOf(head).form.fields.get("tag")} ${formOf(head).form.file("photo")?.size}`)),
    );
    expect((await post(app, sample)).text()).toBe(`a ${tricky.length}`);
  });

  test("asking twice gives the same form; asking for `form` before it was read says what to do", async () => {
    const app = compose(
      [formData()],
      http(async (head) => {
        const reader = formOf(head);
        try {
          void reader.form;
        } catch (error) {
          if (!isGatewayError(error, "GW_FORM_UNREAD")) throw error;
        }
        const both = [await reader.read(), await reader.read(), reader.form];
        return text(String(both.every((one) => one === both[0])));
      }),
    );
    expect((await post(app, sample)).text()).toBe("true");
    const bare = await request(
      http((head) => text(String(formOf(head).isForm))),
      "/",
    );
    expect(isGatewayError(bare.outcome.error, "GW_NO_FORM_DATA")).toBe(true);
  });
});

describe("limits of formData", () => {
  test.each<[limit: string, options: FormDataOptions, body: Buffer, message: string]>([
    ["parts", { maxParts: 2 }, sample, "413 the form has too many parts: maxParts is 2"],
    ["fields", { maxFields: 2 }, sample, "413 the form has too many fields: maxFields is 2"],
    ["files", { maxFiles: 1 }, sample, "413 the form has too many files: maxFiles is 1"],
    ["a field's bytes", { maxFieldBytes: 3 }, sample, '413 the field "title" is too long: maxFieldBytes is 3'],
    ["a file's bytes", { maxFileBytes: 9 }, sample, '413 the file "photo" is too long: maxFileBytes is 9'],
    ["a name's bytes", { maxNameBytes: 3 }, sample, '413 the name "title" is too long: maxNameBytes is 3'],
    ["all bytes", { maxBytes: 100 }, sample, "413 the request body is larger than 100 bytes"],
  ])("beyond the limit of %s: 413 with the limit's name", async (_limit, options, body, message) => {
    expect(await refusalOf(options, body)).toBe(message);
  });

  test.each<[options: FormDataOptions]>([
    [{ maxParts: 5 }],
    [{ maxFields: 3 }],
    [{ maxFiles: 2 }],
    [{ maxFieldBytes: 15 }],
    [{ maxFileBytes: tricky.length }],
    [{ maxBytes: sample.length }],
  ])("what just fits is taken: %o", async (options) => {
    expect((await post(reading(options), sample)).json()).toEqual(expected);
  });

  test.each<[options: FormDataOptions, body: string, message: string]>([
    [{ maxFields: 2 }, "a&b&c", "413 the form has too many fields: maxFields is 2"],
    [{ maxParts: 2 }, "&&", "413 the form has too many fields: maxParts is 2"],
    [{ maxFieldBytes: 2 }, "a=%C3%BCx", '413 the field "a" is too long: maxFieldBytes is 2'],
    [{ maxNameBytes: 2 }, "abc=", '413 the name "abc" is too long: maxNameBytes is 2'],
  ])("urlencoded, with %o: %s", async (options, body, message) => {
    expect(await refusalOf(options, body, "application/x-www-form-urlencoded")).toBe(message);
  });

  test.each<[why: string, body: string, type: string, message: RegExp]>([
    ["no boundary", "", "multipart/form-data", /^400 the form cannot be read: Content-Type has no boundary/],
    ["a boundary that is too long", "", `multipart/form-data; boundary=${"a".repeat(71)}`, /^400 .* no boundary/],
    [
      "a part without a name",
      `--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--\r\n`,
      "multipart/form-data; boundary=b",
      /^400 .* a part has no name/,
    ],
    [
      "no end",
      `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1`,
      "multipart/form-data; boundary=b",
      /^400 .* end of multipart/,
    ],
  ])("%s: 400", async (_why, body, type, message) => {
    expect(await refusalOf({}, body, type)).toMatch(message);
  });

  test("a limit that is no count is refused when the layer is made", () => {
    expect(() => formData({ maxFileBytes: Number.NaN })).toThrow("maxFileBytes");
    expect(() => formData({ maxBytes: -1 })).toThrow("maxBytes");
  });
});

describe("files of formData", () => {
  const large = Buffer.alloc(200_000, "0123456789");
  const upload = formOfParts(
    partOf("doc", large, { fileName: "../../etc/passwd", type: "text/plain" }),
    partOf("after", "x"),
  );
  const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

  test("a long file is on disk without a name, can be kept, and leaves nothing behind", async () => {
    const [temporary, kept] = [folder(), folder()];
    const before = process.platform === "linux" ? openDescriptors() : 0;
    const app = compose(
      [formData({ directory: temporary })],
      http(async (head) => {
        const form = await formOf(head).read();
        const file = form.file("doc");
        await file?.saveTo(join(kept, "doc.txt"));
        return json({ names: readdirSync(temporary), fileName: file?.fileName, kept: readdirSync(kept) });
      }),
    );
    expect((await post(app, upload)).json()).toEqual({ names: [], fileName: "passwd", kept: ["doc.txt"] });
    expect(readFileSync(join(kept, "doc.txt")).equals(large)).toBe(true);
    if (process.platform === "linux") expect(openDescriptors()).toBe(before);
  });

  test("a file is gone with its exchange, and says so", async () => {
    let late: Promise<Uint8Array> | null = null;
    const app = compose(
      [formData()],
      http(async (head) => {
        const file = (await formOf(head).read()).file("doc");
        head.exchange.onEnd(() => {
          late = (file as NonNullable<typeof file>).bytes();
          late.catch(() => {});
        });
        return text("ok");
      }),
    );
    await post(app, upload);
    await expect(late).rejects.toSatisfy((error) => isGatewayError(error, "GW_FORM_ENDED"));
  });

  test("a form refused in its middle, and one whose client leaves, leave no descriptor open", async () => {
    const before = process.platform === "linux" ? openDescriptors() : 0;
    expect((await post(reading({ maxFields: 0, maxMemoryBytes: 0 }), upload)).status).toBe(413);
    const source = bodySource();
    const answering = post(reading({ maxMemoryBytes: 0 }), source.body);
    void source.push(upload.subarray(0, 150_000));
    source.fail(new Error("the client left"));
    expect((await answering).status).toBe(400);
    if (process.platform === "linux") expect(openDescriptors()).toBe(before);
  });

  test("parts are read from the client when they are asked for, and no faster", async () => {
    const source = bodySource();
    const steps: string[] = [];
    const app = compose(
      [formData()],
      http(async (head) => {
        for await (const part of formOf(head).parts()) {
          steps.push(`${part.kind} ${part.name}`);
          if (part.kind !== "file") continue;
          let bytes = 0;
          for await (const chunk of part.body) bytes += chunk.length;
          steps.push(String(bytes));
        }
        return text(steps.join());
      }),
    );
    const answering = post(app, source.body);
    await source.push(partOf("first", "1"));
    await source.push(partOf("doc", large.subarray(0, 10), { fileName: "a", type: "text/plain" }));
    await source.push(Buffer.from(`--${BOUNDARY}--\r\n`));
    source.end();
    expect((await answering).text()).toBe("field first,file doc,10");
  });

  test("an app that waits inside a part holds the client back", async () => {
    const source = bodySource();
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    let atFirst = (): void => {};
    const reached = new Promise<void>((resolve) => {
      atFirst = resolve;
    });
    const app = compose(
      [formData()],
      http(async (head) => {
        for await (const part of formOf(head).parts()) {
          if (part.kind === "field") continue;
          for await (const _ of part.body) {
            atFirst();
            await waiting;
          }
        }
        return text("read");
      }),
    );
    const answering = post(app, source.body);
    const head = partOf("doc", Buffer.alloc(500_000), { fileName: "a", type: "text/plain" });
    void source.push(head);
    await reached;
    const taken: number[] = [];
    for (let at = 0; at < 4; at++) void source.push(Buffer.alloc(500_000)).then(() => taken.push(at));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toEqual([]); // not even the second chunk was asked for
    go();
    void source.push(Buffer.from(`\r\n--${BOUNDARY}--\r\n`));
    source.end();
    expect((await answering).text()).toBe("read");
  });

  test("a file that is not read is passed over; parts left alone stop the reading", async () => {
    const names = compose(
      [formData()],
      http(async (head) => {
        const seen: FormPart[] = [];
        for await (const part of formOf(head).parts()) seen.push(part);
        return text(seen.map((part) => part.name).join());
      }),
    );
    expect((await post(names, upload)).text()).toBe("doc,after");
    const source = bodySource();
    const first = compose(
      [formData()],
      http(async (head) => {
        for await (const part of formOf(head).parts()) {
          if (part.kind === "file") for await (const _ of part.body) break;
          return text(part.name);
        }
        return text("none");
      }),
    );
    const answering = post(first, source.body);
    void source.push(upload.subarray(0, 100_000));
    expect((await answering).text()).toBe("doc");
  });
});
