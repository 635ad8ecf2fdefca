// A form with files from a real browser, and from curl, to formData.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { compose, html, http, json } from "@gw/core";
import { serve } from "@gw/http";
import { openPage } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { type FormDataOptions, formData, formOf } from "../src/form-data.ts";

const page = `<!doctype html><title>upload</title><form method="post" enctype="multipart/form-data">
<input name="title"><textarea name="text"></textarea><input type="checkbox" name="tag" value="a" checked>
<input type="file" name="files" multiple><input type="file" name="none"><button>Send</button></form>`;

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Serves the form and says what came back of it; temporary files go to a folder of their own. */
async function site(options: FormDataOptions = {}): Promise<{ url: string; folder: string; temporary: string }> {
  const [folder, temporary] = [mkdtempSync(join(tmpdir(), "gw-up-")), mkdtempSync(join(tmpdir(), "gw-tmp-"))];
  const app = http(async (request) => {
    if (request.method !== "POST") return html(page);
    const { fields, files } = await formOf(request).read();
    const seen = files.map(async ({ name, fileName, type, size, ...file }, at) => {
      const bytes = await (files[at] as (typeof files)[number]).bytes();
      return { name, fileName, type, size, sha: sha(bytes), more: Object.keys(file).length };
    });
    return json({ fields: [...fields], files: await Promise.all(seen), left: readdirSync(temporary) });
  });
  const layers = [formData({ directory: temporary, ...options })];
  const server = serve(compose(layers, app), { bind: "127.0.0.1:0" });
  await server.ready;
  onTestFinished(async () => {
    await server.close();
    for (const path of [folder, temporary]) rmSync(path, { recursive: true, force: true });
  });
  return { url: server.url, folder, temporary };
}

requires("chromium")(
  "a browser's form arrives as it was filled in: text, line breaks, several files, an empty control",
  async () => {
    const { url, folder } = await site();
    const large = randomBytes(1_500_000);
    writeFileSync(join(folder, "grün & 'rot'.bin"), large);
    writeFileSync(join(folder, "notes.txt"), "two\nlines\n");
    const { page } = await openPage();
    await page.goto(url);
    await page.fill("[name=title]", "Grüße, 안녕 🙂");
    await page.fill("[name=text]", "one\ntwo");
    await page.setInputFiles("[name=files]", [join(folder, "grün & 'rot'.bin"), join(folder, "notes.txt")]);
    await Promise.all([page.waitForEvent("load"), page.click("button")]);
    expect(JSON.parse((await page.textContent("body")) ?? "")).toEqual({
      fields: [
        ["title", "Grüße, 안녕 🙂"],
        ["text", "one\r\ntwo"],
        ["tag", "a"],
      ],
      files: [
        {
          name: "files",
          fileName: "grün & 'rot'.bin",
          type: "application/octet-stream",
          size: 1_500_000,
          sha: sha(large),
          more: 0,
        },
        {
          name: "files",
          fileName: "notes.txt",
          type: "text/plain",
          size: 10,
          sha: sha(Buffer.from("two\nlines\n")),
          more: 0,
        },
        { name: "none", fileName: "", type: "application/octet-stream", size: 0, sha: sha(Buffer.alloc(0)), more: 0 },
      ],
      left: [],
    });
  },
);

requires("curl")(
  "curl's form arrives without a length too, and a file beyond its limit is refused at once",
  async () => {
    const { url, folder, temporary } = await site({ maxFileBytes: 50_000 });
    const file = (name: string, bytes: number): string => {
      writeFileSync(join(folder, name), Buffer.alloc(bytes, "x"));
      return `doc=@${join(folder, name)};type=image/png`;
    };
    const curl = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)("curl", ["-sS", "--max-time", "10", ...args, url])).stdout;
    const chunked = await curl("-H", "Transfer-Encoding: chunked", "-F", "a=1", "-F", file("small", 50_000));
    expect(JSON.parse(chunked)).toMatchObject({ fields: [["a", "1"]], files: [{ fileName: "small", size: 50_000 }] });
    const refused = await curl("-w", "%{http_code}", "-F", file("large", 9_000_000));
    expect(refused).toContain('the file "doc" is too long: maxFileBytes is 50000');
    expect(refused.slice(-3)).toBe("413");
    expect(readdirSync(temporary)).toEqual([]);
  },
);
