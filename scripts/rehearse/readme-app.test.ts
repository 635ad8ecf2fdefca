import { expect, test } from "vitest";
import { readmeApps } from "./readme-app.ts";
import { userEnvironment } from "./user-environment.ts";

const block =
  '<!-- rehearse file="hello.ts" get="/x" answer="Hello" -->\n```ts\nconst a = 1;\n\nexport default a;\n```\n';

test("finds a marked program and what it must answer", () => {
  expect(readmeApps(`# Title\n\n\`\`\`ts\nother();\n\`\`\`\n\n${block}\nMore.\n`)).toEqual([
    { file: "hello.ts", get: "/x", answer: "Hello", text: "const a = 1;\n\nexport default a;\n" },
  ]);
});

test("finds every marked program", () => {
  expect(readmeApps(`${block}\n${block.replace("hello", "chat")}`).map(({ file }) => file)).toEqual([
    "hello.ts",
    "chat.ts",
  ]);
});

test("says what a README must have", () => {
  expect(() => readmeApps("# Title\n")).toThrow("expected a code block below <!-- rehearse");
  expect(() => readmeApps(block.replace(' get="/x"', ""))).toThrow('expected get="…"');
});

test("a user's environment has neither our binaries nor our Node on PATH, and keeps npm's settings", () => {
  const environment = userEnvironment({
    PATH: "/repo/node_modules/.bin:/usr/lib/npm/node-gyp-bin:/usr/local/bin:/usr/bin",
    HOME: "/home/x",
    CI: "true",
    npm_config_registry: "http://registry.test/",
    npm_lifecycle_event: "rehearse",
    npm_package_json: "/repo/package.json",
    npm_config_local_prefix: "/repo",
  });
  expect(environment).toEqual({
    PATH: "/usr/local/bin:/usr/bin",
    HOME: "/home/x",
    npm_config_registry: "http://registry.test/",
  });
});
