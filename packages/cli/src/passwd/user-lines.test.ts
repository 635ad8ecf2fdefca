import { expect, test } from "vitest";
import { checkUserName, withoutUser, withUser } from "./user-lines.ts";

const FILE = "# staff\nann:{SHA}x\n\nbob:old:comment\r\nannabel:y\nbob:never read";

test("a new user comes last, and nobody else's line changes", () => {
  expect(withUser(FILE, "eve", "h")).toEqual({
    text: "# staff\nann:{SHA}x\n\nbob:old:comment\nannabel:y\nbob:never read\neve:h\n",
    isNew: true,
  });
  expect(withUser("", "eve", "h")).toEqual({ text: "eve:h\n", isNew: true });
});

test("a user who is there keeps the place, and further lines of the name go", () => {
  expect(withUser(FILE, "bob", "h")).toEqual({ text: "# staff\nann:{SHA}x\n\nbob:h\nannabel:y\n", isNew: false });
  expect(withUser(FILE, "ann", "h").text).toContain("ann:h\n\nbob:old:comment\nannabel:y\n");
});

test("a user is taken out with every line of the name; null if there is none", () => {
  expect(withoutUser(FILE, "bob")).toBe("# staff\nann:{SHA}x\n\nannabel:y\n");
  expect(withoutUser("ann:x\n", "ann")).toBe("");
  expect(withoutUser(FILE, "an")).toBe(null);
});

test.each(["", "a:b", "a\nb", "#a", " a", "a ", "a\u0000", "é".repeat(128)])("%j is no name", (user) => {
  expect(() => checkUserName(user)).toThrow(expect.objectContaining({ code: "GW_USAGE" }));
});

test.each(["ann", "ann b", "Jürgen", "a.b@example.com", "a".repeat(255)])("%j is a name", (user) => {
  expect(() => checkUserName(user)).not.toThrow();
});
