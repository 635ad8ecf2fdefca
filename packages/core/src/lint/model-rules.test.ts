import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { modelRules } from "./model-rules.ts";

const document = readFileSync(new URL("../../../../docs/model.md", import.meta.url), "utf8");

test.each([
  { title: "Requests", rules: modelRules.requests },
  { title: "Answers", rules: modelRules.answers },
  { title: "In use", rules: modelRules.use },
])('docs/model.md lists under "$title" the sentences that lint checks', ({ title, rules }) => {
  const section = document.split(/^### /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  const listed = section.split("\n").filter((line) => line.startsWith("* "));
  expect(listed).toEqual(rules.map(({ id, sentence }) => `* ${sentence} (\`${id}\`)`));
});

test("each rule has a name of its own", () => {
  const ids = Object.values(modelRules).flatMap((rules) => rules.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
});
