// The five lines of docs/asgi.md, taken from there, behind the command: in Python and in TypeScript, with lifespan auto.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { folderWith, serving } from "./gw.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/asgi.md"), "utf8");

/** The block of the page in which the application is written in a language. */
function block(language: string): string {
  const blocks = page
    .split("```")
    .filter((one) => one.startsWith(`${language}\n`) && one.includes("application(scope"));
  expect(blocks).toHaveLength(1);
  return (blocks[0] as string).slice(language.length + 1);
}

for (const [name, file, language, target] of [
  ["Python", "hello.py", "python", "asgi:hello:application"],
  ["TypeScript", "hello.ts", "ts", "hello.ts"],
] as const) {
  requires("python3")(`the five lines of the documentation answer every request in ${name}`, async () => {
    const folder = folderWith({ [file]: block(language) });
    const { urls } = await serving(folder, ["serve", "--port", "0", "--lifespan", "auto", target]);
    for (const method of ["GET", "POST"]) {
      const answer = await fetch(`${urls[0]}/any?thing`, { method });
      expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
        200,
        "text/plain",
        "Hello, World!",
      ]);
    }
  });
}
