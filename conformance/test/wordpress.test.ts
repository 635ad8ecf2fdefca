// A real PHP application, used as its users do: WordPress of Debian through `gw serve php:` in headless Chromium.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { openWordPress, wordpressNeeds } from "../wordpress.ts";

const php = ["/usr/sbin", "/usr/local/sbin"]
  .flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return [];
    }
  })
  .find((file) => /\/php-fpm[0-9.]*$/.test(file));

requires("chromium", php ?? "php-fpm", ...wordpressNeeds)(
  "WordPress: install, log in, upload a picture, write a post with it, read it as a visitor",
  async () => {
    const site = await openWordPress();
    onTestFinished(() => site.close());
    const { page } = await openPage();
    const failures: string[] = [];
    page.on("response", (response) => {
      if (response.status() >= 400 && response.url().startsWith(site.url))
        failures.push(`${response.status()} ${response.url()}`);
    });

    // The first visit leads to the installation: by a redirect to a directory's script.
    await page.goto(site.url);
    expect(new URL(page.url()).pathname).toBe("/wp-admin/install.php");
    const languages = page.locator("#language-continue");
    if (await languages.count()) await languages.click();
    await page.fill("#weblog_title", "Behind the gateway");
    await page.fill("#user_login", "ada");
    await page.fill("#pass1", "lovelace-1843-notes");
    await page.fill("#admin_email", "ada@example.com");
    await takePicture(page, "wordpress-install");
    await page.click("#submit");
    await page.getByText("Success!").waitFor({ timeout: 20_000 });

    await page.goto(`${site.url}/wp-login.php`);
    await page.fill("#user_login", "ada");
    await page.fill("#user_pass", "lovelace-1843-notes");
    await page.click("#wp-submit");
    await page.waitForURL(/\/wp-admin\/$/);
    await takePicture(page, "wordpress-dashboard");

    await page.goto(`${site.url}/wp-admin/media-new.php?browser-uploader`);
    await page.setInputFiles("#async-upload", { name: "sunset.png", mimeType: "image/png", buffer: sunset(480, 270) });
    await page.click("#html-upload");
    await page.waitForURL(/upload\.php/);
    const picture = await page.evaluate(async () => {
      const found = await fetch("/index.php?rest_route=/wp/v2/media");
      return ((await found.json()) as { id: number; source_url: string }[])[0];
    });
    expect(picture?.source_url).toMatch(/\/wp-content\/uploads\/\d{4}\/\d\d\/sunset\.png$/);

    await page.goto(`${site.url}/wp-admin/post-new.php`);
    await page.locator(".editor-post-title__input").waitFor({ timeout: 20_000 });
    await page.evaluate(
      ({ id, source }) => {
        const { blocks, data } = (globalThis as unknown as { wp: Editor }).wp;
        data.dispatch("core/preferences").set("core/edit-post", "welcomeGuide", false);
        data.dispatch("core/editor").editPost({ title: "Notes by Ada, Café Zürich" });
        data
          .dispatch("core/block-editor")
          .insertBlocks([
            blocks.createBlock("core/image", { id, url: source, alt: "a sunset" }),
            blocks.createBlock("core/paragraph", { content: "Written behind one login." }),
          ]);
      },
      { id: picture?.id, source: picture?.source_url },
    );
    await page.locator(".editor-post-publish-panel__toggle").click();
    await page.locator(".editor-post-publish-panel .editor-post-publish-button").click();
    const view = page.locator(".post-publish-panel__postpublish-buttons a").first();
    await view.waitFor();
    await takePicture(page, "wordpress-editor");
    const address = (await view.getAttribute("href")) ?? "";

    const { page: visitor } = await openPage();
    const answer = await visitor.goto(address);
    expect([answer?.status(), await visitor.locator("h1").first().textContent()]).toEqual([
      200,
      "Notes by Ada, Café Zürich",
    ]);
    expect(new URL(address).pathname, "the front controller serves names of posts").toMatch(
      /^\/\d{4}\/\d\d\/\d\d\/notes/,
    );
    const width = await visitor
      .locator(".wp-block-image img")
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    expect(width, "the picture is there").toBe(480);
    await takePicture(visitor, "wordpress-post");
    await visitor.goto(`${site.url}/?s=gateway`);
    expect((await visitor.goto(`${site.url}/no/such/post/`))?.status()).toBe(404);

    // What is not for visitors, by any name.
    for (const path of ["/wp-config.php~", "/.htaccess", "/wp-content/uploads/../../wp-config.php.bak"]) {
      expect((await fetch(`${site.url}${path}`)).status, path).toBe(404);
    }
    expect(await (await fetch(`${site.url}/wp-config.php`)).text()).toBe("");
    const escaped = await fetch(picture?.source_url.replace(/$/, "/x.php") ?? "");
    expect(escaped.headers.get("content-type"), "a picture is never run").toContain("text/html");
    expect(failures).toEqual([]);
    expect(site.words()).not.toMatch(/PHP Fatal/);
  },
  90_000, // 18 s where nothing else runs
);

/** What of the editor's programming interface is used. */
interface Editor {
  readonly blocks: { createBlock(name: string, attributes: object): object };
  readonly data: {
    dispatch(store: string): {
      set(scope: string, name: string, value: boolean): void;
      editPost(edits: object): void;
      insertBlocks(blocks: readonly object[]): void;
    };
  };
}

/** A picture in RGB (PNG, ISO/IEC 15948). */
function sunset(width: number, height: number): Buffer {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * (width * 3 + 1) + 1 + x * 3;
      const isSun = (x - width / 2) ** 2 + (y - height * 0.62) ** 2 < (height / 6) ** 2;
      const shade = y / height;
      rows.set(isSun ? [255, 224, 130] : [40 + 190 * shade, 50 + 60 * shade, 120 - 40 * shade], at);
    }
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** CRC of ISO/IEC 15948 annex D. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
