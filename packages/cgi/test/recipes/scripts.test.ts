// docs/recipes/awstats.md, perl.md and php.md with the real programs.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, vi } from "vitest";
import { temporaryDirectory } from "../programs.ts";
import { recipe, run } from "./recipe.ts";

vi.setConfig({ testTimeout: 60_000 }); // real programs and a browser, one after the other

const ann = { headers: { Authorization: `Basic ${Buffer.from("ann:secret").toString("base64")}` } };

/** A line of an access log in the combined format. */
const logLine = (day: number, path: string, bytes: number): string =>
  `192.0.2.${day} - - [${String(day).padStart(2, "0")}/Nov/2026:10:00:00 +0000] "GET ${path} HTTP/1.1" 200 ${bytes} "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"`;

requires("/usr/lib/cgi-bin/awstats.pl", "chromium")("AWStats shows its users the statistics of a log", async () => {
  const { url } = await recipe("awstats.md", async (at) => {
    for (const folder of ["/srv/log", "/srv/awstats/data"]) mkdirSync(at(folder), { recursive: true });
    symlinkSync("/usr/lib/cgi-bin/awstats.pl", at("/srv/awstats/awstats.pl"));
    const lines = Array.from({ length: 20 }, (_, at) => logLine(at + 1, at % 2 === 0 ? "/" : "/about.html", 1_000));
    writeFileSync(at("/srv/log/access.log"), `${lines.join("\n")}\n`);
    expect(await run("/", at("/srv/awstats/awstats.pl"), "-config=example", "-update")).toContain(
      "Found 20 new qualified records",
    );
  });
  expect((await fetch(`${url}/awstats`)).status).toBe(401);
  const answer = await fetch(`${url}/awstats?month=11&year=2026&framename=mainright`, ann);
  const text = await answer.text();
  expect([answer.status, text.includes("/about.html"), text.includes("www.example.org")]).toEqual([200, true, true]);
  const { page, context } = await openPage();
  await context.setExtraHTTPHeaders(ann.headers);
  await page.goto(`${url}/awstats?month=11&year=2026&framename=mainright`);
  await page.getByText("Unique visitors").first().waitFor();
  await takePicture(page, "awstats");
});

requires(
  "perl",
  "/usr/share/perl5/CGI.pm",
  "chromium",
)("CGI.pm reads forms, uploads and cookies, and redirects", async () => {
  const { url } = await recipe("perl.md");
  const { page, context } = await openPage();
  await page.goto(`${url}/cgi-bin/?name=%EC%95%88%EB%85%95%3Cb%3E`);
  expect(await page.locator("h1").textContent()).toBe("Hello, 안녕<b>");
  const file = randomBytes(3_000_000);
  await page.locator("input[name=note]").fill("a note");
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "a.bin", mimeType: "application/octet-stream", buffer: file });
  await page.locator("input[type=submit]").click();
  const sum = createHash("sha256").update(file).digest("hex");
  expect(await page.locator("body").textContent()).toBe(`3000000 ${sum} a note\n`);
  expect(await context.cookies()).toEqual([expect.objectContaining({ name: "seen", value: "yes", httpOnly: true })]);
  const moved = await fetch(`${url}/cgi-bin/index.pl/moved`, { redirect: "manual" });
  expect([moved.status, moved.headers.get("location")]).toEqual([
    303,
    expect.stringMatching(/\/cgi-bin\/index\.pl\?name=moved$/),
  ]);
});

requires("php-cgi", "chromium")("PHP takes an upload of 50 MiB from a browser's form", async () => {
  const { url } = await recipe("php.md");
  const path = `${temporaryDirectory()}/big.bin`;
  const file = randomBytes(50 * 1024 * 1024);
  writeFileSync(path, file);
  const { page } = await openPage();
  await page.goto(`${url}/php/`);
  await page.locator("input[name=note]").fill("안녕");
  await page.locator("input[type=file]").setInputFiles(path);
  await page.locator("button").click();
  const sum = createHash("sha256").update(file).digest("hex");
  await page.waitForFunction('document.body.textContent.startsWith("[")');
  expect(JSON.parse(`${await page.locator("body").textContent()}`)).toEqual(["big.bin", 0, file.length, sum, "안녕"]);
});
