// docs/recipes/git.md with the real git, gitweb and cgit.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, vi } from "vitest";
import { temporaryDirectory } from "../programs.ts";
import { type Recipe, recipe, run } from "./recipe.ts";

vi.setConfig({ testTimeout: 60_000 }); // real programs and a browser, one after the other

/** The recipe with one repository: two commits, a folder, a description. */
const opened = (): Promise<Recipe> =>
  recipe("git.md", async (at) => {
    const work = `${temporaryDirectory()}/work`;
    mkdirSync(`${work}/src`, { recursive: true });
    await run(work, "git", "init", "-q", "-b", "main");
    for (const [name, text, message] of [
      ["README.md", "# Project\n\nSome words: 안녕.\n", "First words"],
      ["src/hello.c", 'int main(void) { return puts("hello"); }\n', "A program"],
    ] as const) {
      writeFileSync(`${work}/${name}`, text);
      await run(work, "git", "add", ".");
      await run(work, "git", "commit", "-q", "-m", message);
    }
    mkdirSync(at("/srv/git"), { recursive: true });
    await run(at("/srv/git"), "git", "clone", "-q", "--bare", work, "project.git");
    writeFileSync(at("/srv/git/project.git/description"), "A project to look at\n");
  });

const gitweb = requires("git", "/usr/share/gitweb/gitweb.cgi", "chromium");
const cgit = requires("git", "/usr/lib/cgit/cgit.cgi", "chromium");

requires("git")(
  "a repository is cloned by anybody, and pushed to by a user with a password: 20 MiB",
  async () => {
    const { url, at } = await opened();
    const work = `${temporaryDirectory()}/work`;
    await run("/", "git", "clone", "-q", `${url}/git/project.git`, work);
    writeFileSync(`${work}/big.bin`, randomBytes(20 * 1024 * 1024));
    await run(work, "git", "add", ".");
    await run(work, "git", "commit", "-q", "-m", "20 MiB");
    await expect(run(work, "git", "push", "-q", "origin", "main")).rejects.toThrow(
      /Authentication failed|could not read Username/,
    );
    const withUser = url.replace("http://", "http://ann:secret@");
    await run(work, "git", "push", "-q", `${withUser}/git/project.git`, "main");
    const pushed = await run(at("/srv/git/project.git"), "git", "rev-parse", "main");
    expect(pushed).toBe(await run(work, "git", "rev-parse", "HEAD"));
    expect(await run(at("/srv/git/project.git"), "git", "cat-file", "-s", "main:big.bin")).toBe(
      `${20 * 1024 * 1024}\n`,
    );
    const again = `${temporaryDirectory()}/again`;
    await run("/", "git", "clone", "-q", "--depth", "1", `${url}/git/project.git`, again);
    expect(await run(again, "git", "rev-parse", "HEAD")).toBe(pushed);
  },
  60_000,
);

gitweb("gitweb shows the list, a project, a file and a difference, with its own style", async () => {
  const { url } = await opened();
  const { page } = await openPage();
  const failed: string[] = [];
  page.on("response", (response) => {
    if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${url}/gitweb`);
  await page.getByText("A project to look at").waitFor();
  await takePicture(page, "gitweb-list");
  await page.getByRole("link", { name: "project.git", exact: true }).click();
  await page.getByRole("link", { name: "A program" }).first().waitFor();
  await takePicture(page, "gitweb-project");
  await page.getByRole("link", { name: "commitdiff" }).first().click();
  await page.getByText('puts("hello")').first().waitFor();
  await page.goto(`${url}/gitweb/project.git/blob/main:/README.md`);
  expect(await page.locator("body").textContent()).toMatch(/Some\swords:\s안녕\./);
  const color = await page.evaluate("getComputedStyle(document.querySelector('div.page_header')).backgroundColor");
  expect(color).toBe("rgb(217, 216, 209)"); // its style sheet came
  const missing = await page.goto(`${url}/gitweb?p=none.git`);
  expect(missing?.status()).toBe(404);
  expect(failed.filter((line) => !line.includes("none.git"))).toEqual([]);
});

cgit("cgit shows the list, the log and a file, with its own style, and a snapshot is a download", async () => {
  const { url } = await opened();
  const { page } = await openPage();
  const failed: string[] = [];
  page.on("response", (response) => {
    if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${url}/cgit/`);
  await page.getByText("A project to look at").waitFor();
  await takePicture(page, "cgit-list");
  await page.goto(`${url}/cgit/project.git/`);
  await page.getByText("A program").first().waitFor();
  await takePicture(page, "cgit-project");
  await page.goto(`${url}/cgit/project.git/tree/src/hello.c`);
  expect(await page.locator("td.lines").textContent()).toContain('puts("hello")');
  const width = await page.evaluate("document.querySelector('td.logo img').naturalWidth");
  expect(width).toBeGreaterThan(0);
  const patch = await fetch(`${url}/cgit/project.git/patch/`);
  expect([patch.status, await patch.text()]).toEqual([200, expect.stringContaining("Subject: A program")]);
  expect(failed).toEqual([]);
});
