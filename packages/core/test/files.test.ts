// Files on a real disk, through the in-memory carrier and its lint.

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.ts";
import { HeaderList } from "../src/index.ts";
import { type FileAnswerOptions, fileAnswer, sendFile } from "../src/node/index.ts";
import { type RequestInit, request, type TestResponse } from "../src/testing/index.ts";

let base: string;
let root: string;
const big = Buffer.alloc(300_000, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));
const CHANGED = new Date("2024-01-02T03:04:05Z");

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "gw-files-"));
  root = join(base, "root");
  const files: Record<string, string | Buffer> = {
    "index.html": "<h1>home</h1>",
    "hello.txt": "hello, world",
    "empty.txt": "",
    "big.bin": big,
    "sub/index.html": "sub",
    "sub/page.htm": "page",
    "bare/file.txt": "bare",
    ".env": "SECRET=1",
    ".well-known/acme": "token",
    "sub/.git/config": "[core]",
    "한글.txt": "hangul",
    "app.js": "console.log('a long script')",
    "app.js.br": "brotli",
    "app.js.gz": "gzip",
    "app.js.zst": "zstd",
    "photo.png": "png",
    "photo.png.gz": "never",
    "../outside/secret.txt": "outside",
    "../rooted.txt": "beside",
    "../root-beside/secret.txt": "beside",
    "back\\slash.txt": "backslash",
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, CHANGED, CHANGED);
  }
  symlinkSync("hello.txt", join(root, "inside-link.txt"));
  symlinkSync("../outside/secret.txt", join(root, "outside-link.txt"));
  symlinkSync("../root-beside/secret.txt", join(root, "beside-link.txt"));
  symlinkSync("../outside", join(root, "outside-directory"));
  symlinkSync("sub", join(root, "sub-link"));
  symlinkSync("loop", join(root, "loop"));
  execFileSync("mkfifo", [join(root, "fifo")]);
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

const get = (path: string, init: RequestInit = {}, options: Partial<FileAnswerOptions> = {}): Promise<TestResponse> =>
  request((incoming) => fileAnswer(incoming, { root, ...options }), path, init);

const field = (answer: TestResponse, name: string): string | null => answer.headers.get(name);

describe("a file", () => {
  test("is sent with its type, length, validators and ranges", async () => {
    const answer = await get("/hello.txt");
    expect([answer.status, answer.text()]).toEqual([200, "hello, world"]);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": "12",
      "Last-Modified": "Tue, 02 Jan 2024 03:04:05 GMT",
      ETag: expect.stringMatching(/^"[0-9a-z]+-[0-9a-z]+"$/),
      "Accept-Ranges": "bytes",
    });
  });

  test("is the same to HEAD, without the bytes and without a range", async () => {
    const answer = await get("/hello.txt", { method: "HEAD", headers: { Range: "bytes=0-1" } });
    expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
    expect(answer.headers.toJSON()).toEqual((await get("/hello.txt")).headers.toJSON());
  });

  test("may be empty, large, or named in any script", async () => {
    expect([(await get("/empty.txt")).status, (await get("/empty.txt")).bytes.length]).toEqual([200, 0]);
    expect(Buffer.compare((await get("/big.bin")).bytes, big)).toBe(0);
    expect((await get("/%ED%95%9C%EA%B8%80.txt")).text()).toBe("hangul");
  });

  test("has the Cache-Control, type and fields it is given, but keeps what describes its bytes", async () => {
    const answer = await get(
      "/hello.txt",
      {},
      {
        cacheControl: (file) => (file.endsWith(".txt") ? "max-age=60" : null),
        types: { txt: "text/x-own" },
        etag: "weak",
        headers: HeaderList.from({
          "X-Own": "1",
          "Content-Length": "999",
          ETag: '"theirs"',
          "Set-Cookie": ["a=1", "b=2"],
        }),
      },
    );
    expect([field(answer, "cache-control"), field(answer, "content-type"), field(answer, "x-own")]).toEqual([
      "max-age=60",
      "text/x-own",
      "1",
    ]);
    expect(field(answer, "etag")).toMatch(/^W\/"/);
    expect([field(answer, "content-length"), answer.headers.getAll("set-cookie")]).toEqual(["12", ["a=1", "b=2"]]);
    const typed = await get(
      "/hello.txt",
      {},
      {
        cacheControl: "no-store",
        headers: HeaderList.from({ "Content-Type": "image/png", "Cache-Control": "private" }),
      },
    );
    expect([typed.headers.getAll("content-type"), typed.headers.getAll("cache-control")]).toEqual([
      ["image/png"],
      ["private"],
    ]);
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "get"])("is not for %s", async (method) => {
    const answer = await get("/hello.txt", { method });
    expect([answer.status, field(answer, "allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("a directory", () => {
  test("is its index", async () => {
    expect((await get("/")).text()).toBe("<h1>home</h1>");
    expect((await get("/sub/")).text()).toBe("sub");
    expect((await get("/sub/", {}, { index: ["missing.html", "page.htm"] })).text()).toBe("page");
    expect((await get("/bare/")).status).toBe(404);
    expect((await get("/", {}, { index: ["sub"] })).status).toBe(404); // a directory is no index
  });

  test("without its slash is a redirect that keeps the query and the spelling", async () => {
    const answer = await get("/sub?a=%20b");
    expect([answer.status, field(answer, "location")]).toEqual([301, "/sub/?a=%20b"]);
    expect(field(await get("/s%75b"), "location")).toBe("/s%75b/");
  });

  test("under a mount redirects to its place under the mount", async () => {
    const mounted = (path: string) =>
      request((incoming) => fileAnswer({ ...incoming, mount: "/files", path }, { root }), `/files${path}`);
    expect(field(await mounted("/sub"), "location")).toBe("/files/sub/");
    expect(field(await mounted(""), "location")).toBe("/files/");
  });

  test("R-M12: never redirects to another host", async () => {
    mkdirSync(join(root, "evil.example"));
    const answer = await request(
      (incoming) => fileAnswer({ ...incoming, target: "//evil.example", mount: "/", path: "/evil.example" }, { root }),
      "/x",
    );
    expect(field(answer, "location")).toBe("/evil.example/");
  });

  test("named by a path of ours is its index, where the client's address has its slash", async () => {
    expect((await get("/whatever/", {}, { path: "/sub" })).text()).toBe("sub");
    expect((await get("/whatever", {}, { path: "/sub" })).status).toBe(301);
  });
});

describe("what is not sent", () => {
  test.each([
    "/missing",
    "/hello.txt/",
    "/hello.txt/more",
    "/../rooted.txt",
    "/sub/../../rooted.txt",
    "/..%2frooted.txt",
    "/%2e%2e/rooted.txt",
    "/sub%2f..%2f..%2frooted.txt",
    "/..%5crooted.txt",
    "/sub%5cpage.htm",
    "/%00",
    "/hello.txt%00.png",
    "/.env",
    "/sub/.git/config",
    "/sub/.well-known/x",
    "/caf%E9.txt",
    "/back%5cslash.txt",
    "/outside-link.txt",
    "/beside-link.txt",
    "/outside-directory/secret.txt",
    "/outside-directory/",
    "/loop",
    "/fifo",
    `/${"x".repeat(300)}`,
    `/${"a/".repeat(3_000)}`,
  ])("%s is not found", async (path) => {
    const answer = await get(path);
    expect([404, 400]).toContain(answer.status); // the carrier refuses some before
    expect(answer.text()).not.toMatch(/outside|beside|SECRET|backslash/);
  });

  test.each([
    "",
    "hello.txt",
    "/../rooted.txt",
    "/sub/../hello.txt",
    "/./hello.txt",
    "/a\\..\\hello.txt",
    "/hello.txt\0",
  ])("a layer cannot name it either: %j", async (path) => {
    const answer = await request((incoming) => fileAnswer({ ...incoming, path: "/x" }, { root, path }), "/x");
    expect(answer.status).toBe(path === "" ? 301 : 404);
    const options: FileAnswerOptions = { root, path, dotfiles: "serve", symlinks: "follow" };
    const widest = await request((incoming) => fileAnswer({ ...incoming, path: "/x" }, options), "/x");
    expect(widest.status).toBe(answer.status); // nothing that a mount may allow lets a path climb
  });

  test("dot files are sent when the mount says so, /.well-known always", async () => {
    expect((await get("/.env", {}, { dotfiles: "serve" })).status).toBe(200);
    expect((await get("/.well-known/acme")).text()).toBe("token");
  });

  test("links: inside the root, none, or any", async () => {
    const statuses = async (options: Partial<FileAnswerOptions>) =>
      Promise.all(
        ["/inside-link.txt", "/sub-link/page.htm", "/outside-link.txt", "/hello.txt"].map(
          async (path) => (await get(path, {}, options)).status,
        ),
      );
    expect(await statuses({})).toEqual([200, 200, 404, 200]);
    expect(await statuses({ symlinks: "refuse" })).toEqual([404, 404, 404, 200]);
    expect(await statuses({ symlinks: "follow" })).toEqual([200, 200, 200, 200]);
  });

  requires("/proc/self/fd")("a link that is swapped between looking and opening gains nothing", async () => {
    const link = join(root, "swapped.txt");
    let swaps = 0;
    const swap = (): void => {
      if (swaps++ % 2 === 0) symlinkSync("../outside/secret.txt", `${link}.new`);
      else writeFileSync(`${link}.new`, "hello, world");
      renameSync(`${link}.new`, link);
    };
    swap();
    const texts = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const answers = Array.from({ length: 4 }, () => get("/swapped.txt"));
      for (let turn = 0; turn < 4; turn++) {
        swap();
        await new Promise(setImmediate);
      }
      for (const answer of await Promise.all(answers)) texts.add(answer.text());
    }
    expect(texts).toContain("hello, world");
    expect([...texts].filter((text) => !["hello, world", "404 Not Found\n"].includes(text))).toEqual([]);
  });

  test("the root may be a link that a deployment moves", async () => {
    for (const release of ["one", "two"]) {
      mkdirSync(join(base, release));
      writeFileSync(join(base, release, "v.txt"), release);
    }
    const current = join(base, "current");
    symlinkSync("one", current);
    expect((await get("/v.txt", {}, { root: current, symlinks: "refuse" })).text()).toBe("one");
    symlinkSync("two", `${current}-next`);
    renameSync(`${current}-next`, current);
    expect((await get("/v.txt", {}, { root: current, symlinks: "refuse" })).text()).toBe("two");
    expect((await get("/v.txt", {}, { root: join(base, "none") })).status).toBe(404);
  });

  test("a socket opening gets 404", async () => {
    const answer = await request(
      (incoming) => fileAnswer({ ...incoming, kind: "websocket", subprotocols: [] }, { root }),
      "/hello.txt",
    );
    expect(answer.status).toBe(404);
  });
});

describe("conditions", () => {
  test("304 has the validators and no body", async () => {
    const etag = field(await get("/hello.txt"), "etag") as string;
    const answer = await get(
      "/hello.txt",
      { headers: { "If-None-Match": etag } },
      { cacheControl: "no-cache", headers: HeaderList.from({ "Content-Type": "x/y" }) },
    );
    expect([answer.status, answer.bytes.length]).toEqual([304, 0]);
    expect(Object.fromEntries(answer.headers)).toEqual({
      ETag: etag,
      "Last-Modified": CHANGED.toUTCString(),
      "Cache-Control": "no-cache",
    });
    expect((await get("/hello.txt", { headers: { "If-Modified-Since": CHANGED.toUTCString() } })).status).toBe(304);
  });

  test("412 when the file is not the one that is meant", async () => {
    expect((await get("/hello.txt", { headers: { "If-Match": '"other"' } })).status).toBe(412);
    expect((await get("/hello.txt", { headers: { "If-Unmodified-Since": new Date(0).toUTCString() } })).status).toBe(
      412,
    );
  });

  test("the tag changes with the size and with the time", async () => {
    const path = join(root, "changing.txt");
    const tags = new Set<string | null>();
    const look = async () => tags.add(field(await get("/changing.txt"), "etag"));
    writeFileSync(path, "one");
    utimesSync(path, CHANGED, CHANGED);
    await look();
    utimesSync(path, CHANGED, new Date(CHANGED.getTime() + 1));
    await look();
    writeFileSync(path, "longer");
    utimesSync(path, CHANGED, CHANGED);
    await look();
    expect(tags.size).toBe(3);
  });

  test("a time in the future is not told", async () => {
    const path = join(root, "future.txt");
    writeFileSync(path, "x");
    utimesSync(path, CHANGED, new Date(Date.now() + 3_600_000));
    expect(Date.parse(field(await get("/future.txt"), "last-modified") as string)).toBeLessThanOrEqual(Date.now());
  });
});

describe("ranges", () => {
  const ranged = (range: string, headers: Record<string, string> = {}) =>
    get("/hello.txt", { headers: { Range: range, ...headers } });

  test("one range", async () => {
    const answer = await ranged("bytes=7-");
    expect([answer.status, answer.text()]).toEqual([206, "world"]);
    expect([field(answer, "content-range"), field(answer, "content-length")]).toEqual(["bytes 7-11/12", "5"]);
    expect((await ranged("bytes=-5")).text()).toBe("world");
  });

  test("several ranges as multipart/byteranges", async () => {
    const answer = await ranged("bytes=0-1,-2");
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(field(answer, "content-type") ?? "")?.[1];
    expect(answer.text().split("\r\n")).toEqual([
      `--${boundary}`,
      "Content-Type: text/plain; charset=utf-8",
      "Content-Range: bytes 0-1/12",
      "",
      "he",
      `--${boundary}`,
      "Content-Type: text/plain; charset=utf-8",
      "Content-Range: bytes 10-11/12",
      "",
      "ld",
      `--${boundary}--`,
      "",
    ]);
    expect([answer.status, field(answer, "content-range"), field(answer, "content-length")]).toEqual([
      206,
      null,
      String(answer.bytes.length),
    ]);
  });

  test("416 tells the length", async () => {
    const answer = await ranged("bytes=12-");
    expect([answer.status, field(answer, "content-range"), field(answer, "etag")]).toEqual([
      416,
      "bytes */12",
      expect.any(String),
    ]);
  });

  test("If-Range: the range of this file, or the whole of a newer one", async () => {
    const etag = field(await get("/hello.txt"), "etag") as string;
    expect((await ranged("bytes=0-0", { "If-Range": etag })).status).toBe(206);
    expect((await ranged("bytes=0-0", { "If-Range": '"older"' })).status).toBe(200);
    expect((await ranged("bytes=0-0", { "If-Range": CHANGED.toUTCString() })).status).toBe(206);
  });

  test("a condition is judged before the range", async () => {
    const etag = field(await get("/hello.txt"), "etag") as string;
    expect((await ranged("bytes=0-0", { "If-None-Match": etag })).status).toBe(304);
  });

  test("large ranges are streamed, exactly", async () => {
    const cut = async (range: string) => (await get("/big.bin", { headers: { Range: range } })).bytes;
    expect(Buffer.compare(await cut("bytes=1-200000"), big.subarray(1, 200_001))).toBe(0);
    expect(Buffer.compare(await cut("bytes=65535-65536"), big.subarray(65_535, 65_537))).toBe(0);
    const parts = await cut("bytes=0-99999,150000-249999");
    expect(Buffer.from(parts).includes(big.subarray(150_000, 250_000))).toBe(true);
    expect(parts.length).toBeGreaterThan(200_000);
  });

  test("more ranges than allowed, or overlapping ones: the whole file", async () => {
    const many = Array.from({ length: 17 }, (_, at) => `${at}-${at}`).join(",");
    expect((await get("/big.bin", { headers: { Range: `bytes=${many}` } })).status).toBe(200);
    expect((await ranged("bytes=0-,0-,0-")).status).toBe(200);
  });
});

describe("precompressed files", () => {
  const encoded = (accept: string | null, path = "/app.js", more: RequestInit = {}) =>
    get(
      path,
      { ...more, headers: { ...(accept !== null && { "Accept-Encoding": accept }), ...(more.headers as object) } },
      { precompressed: true },
    );

  test.each([
    ["gzip, br, zstd", "br", "brotli"],
    ["gzip, zstd", "zstd", "zstd"],
    ["gzip", "gzip", "gzip"],
    ["br;q=0.5, gzip", "gzip", "gzip"],
    ["identity", null, "console.log('a long script')"],
    [null, null, "console.log('a long script')"],
  ])("Accept-Encoding %s gets %s, and every answer says that it varies", async (accept, coding, body) => {
    const answer = await encoded(accept);
    expect([field(answer, "content-encoding"), answer.text(), field(answer, "vary")]).toEqual([
      coding,
      body,
      "Accept-Encoding",
    ]);
    expect(field(answer, "content-type")).toBe("text/javascript; charset=utf-8");
  });

  test("each has a tag of its own, and ranges are of what is sent", async () => {
    const tags = await Promise.all(
      ["br", "zstd", "gzip", null].map(async (accept) => field(await encoded(accept), "etag")),
    );
    expect(new Set(tags).size).toBe(4);
    const part = await encoded("br", "/app.js", { headers: { Range: "bytes=0-2" } });
    expect([part.status, part.text(), field(part, "content-range")]).toEqual([206, "bro", "bytes 0-2/6"]);
  });

  test("an older one than the file is not sent, nor one of what does not compress", async () => {
    writeFileSync(join(root, "new.js"), "new");
    writeFileSync(join(root, "new.js.gz"), "old");
    utimesSync(join(root, "new.js.gz"), CHANGED, CHANGED);
    expect((await encoded("gzip", "/new.js")).text()).toBe("new");
    const image = await encoded("gzip", "/photo.png");
    expect([image.text(), field(image, "vary")]).toEqual(["png", null]);
  });

  test("are not looked for unless asked", async () => {
    const answer = await get("/app.js", { headers: { "Accept-Encoding": "br" } });
    expect([field(answer, "content-encoding"), field(answer, "vary")]).toEqual([null, null]);
  });
});

describe("sendFile", () => {
  const send = (file: string, init: RequestInit = {}) => request((incoming) => sendFile(incoming, file), "/x", init);

  test("sends any file that an app names, by the same rules", async () => {
    expect((await send(join(base, "outside", "secret.txt"))).text()).toBe("outside");
    expect((await send(join(root, "hello.txt"), { headers: { Range: "bytes=0-0" } })).status).toBe(206);
    expect((await send(join(root, "sub"))).status).toBe(404);
    expect((await send(join(root, "none"))).status).toBe(404);
    expect((await send("relative")).status).toBe(500);
  });
});

describe("descriptors", () => {
  /** Descriptors of files of ours. */
  const open = (): number =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(base);
      } catch {
        return false; // the one that read the directory
      }
    }).length;

  requires("/proc/self/fd")("are all closed, whatever the answer and however it ends", async () => {
    await Promise.all([
      get("/hello.txt"),
      get("/big.bin"),
      get("/big.bin", { method: "HEAD" }),
      get("/big.bin", { headers: { Range: "bytes=0-99999" } }),
      get("/big.bin", { headers: { Range: "bytes=999999-" } }),
      get("/hello.txt", { headers: { "If-None-Match": "*" } }),
      get("/hello.txt", { headers: { "If-Match": '"x"' } }),
      get("/sub"),
      get("/outside-link.txt"),
      get("/fifo"),
      get("/app.js", { headers: { "Accept-Encoding": "br" } }, { precompressed: true }),
    ]);
    expect(open()).toBe(0);
  });

  requires("/proc/self/fd")("a client that leaves, and a body that is never read", async () => {
    const gone = new AbortController();
    const left = await get("/big.bin", { signal: gone.signal, onChunk: () => gone.abort() });
    expect(left.outcome.result).toBe("gone");
    await request(async (incoming) => {
      const answer = await fileAnswer(incoming, { root });
      expect(open()).toBe(1);
      await answer.close?.();
      return { kind: "response", status: 204, headers: HeaderList.empty, body: null };
    }, "/big.bin");
    expect(open()).toBe(0);
  });

  test("R-W4: a file that becomes shorter while it is sent is a cut answer, not one that looks whole", async () => {
    const path = join(root, "shrinking.bin");
    writeFileSync(path, big);
    const answer = await get("/shrinking.bin", { onChunk: () => truncateSync(path, 70_000) });
    expect([answer.outcome.result, answer.bytes.length < big.length]).toEqual(["cut", true]);
    expect(answer.outcome.error).toMatchObject({ code: "GW_FILE" });
  });

  test("a file that is replaced while it is sent arrives as it was", async () => {
    const path = join(root, "replaced.bin");
    writeFileSync(path, big);
    const answer = await get("/replaced.bin", {
      onChunk: () => {
        writeFileSync(`${path}.new`, "other");
        renameSync(`${path}.new`, path);
      },
    });
    expect(Buffer.compare(answer.bytes, big)).toBe(0);
  });
});
