// docs/recipes/mercurial.md with the real hgweb.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, vi } from "vitest";
import { temporaryDirectory } from "../programs.ts";
import { type Recipe, recipe, run } from "./recipe.ts";

vi.setConfig({ testTimeout: 60_000 }); // real programs and a browser, one after the other

const opened = (): Promise<Recipe> =>
  recipe("mercurial.md", async (at) => {
    const repository = at("/srv/hg/project");
    mkdirSync(repository, { recursive: true });
    await run(repository, "hg", "init");
    writeFileSync(`${repository}/hello.txt`, "hello\n");
    await run(repository, "hg", "commit", "-q", "-A", "-u", "Ann", "-m", "First words");
  });

requires("hg")(
  "a repository is cloned by anybody, and pushed to by a user with a password: 2 MB",
  async () => {
    const { url } = await opened();
    const work = `${temporaryDirectory()}/work`;
    await run("/", "hg", "clone", "-q", `${url}/hg/project`, work);
    expect(readFileSync(`${work}/hello.txt`, "utf8")).toBe("hello\n");
    writeFileSync(`${work}/big.bin`, randomBytes(2_000_000));
    await run(work, "hg", "commit", "-q", "-A", "-u", "Ann", "-m", "2 MB");
    await expect(run(work, "hg", "push", "-q", "-y")).rejects.toThrow(/authorization/);
    await run(work, "hg", "push", "-q", "-y", `${url.replace("http://", "http://ann:secret@")}/hg/project`);
    const again = `${temporaryDirectory()}/again`;
    await run("/", "hg", "clone", "-q", `${url}/hg/project`, again);
    expect(readFileSync(`${again}/big.bin`).equals(readFileSync(`${work}/big.bin`))).toBe(true);
  },
  60_000,
);

requires("hg", "chromium")("its pages show the list, the log and a file, with their own style", async () => {
  const { url } = await opened();
  const { page } = await openPage();
  const failed: string[] = [];
  page.on("response", (response) => {
    if (response.status() >= 400 && !response.url().endsWith("favicon.ico")) failed.push(response.url());
  });
  await page.goto(`${url}/hg/`);
  await page.getByRole("link", { name: "project" }).first().click();
  await page.getByText("First words").first().waitFor();
  await takePicture(page, "hgweb-project");
  await page.goto(`${url}/hg/project/file/tip/hello.txt`);
  expect(await page.locator("body").textContent()).toContain("hello");
  expect(failed).toEqual([]);
});
