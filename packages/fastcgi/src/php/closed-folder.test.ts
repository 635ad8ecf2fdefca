import { expect, test } from "vitest";
import { mayEnter, wayTo } from "./closed-folder.ts";

const www = { uid: 33, gids: [33, 100] };

test.each([
  ["others may", { uid: 0, gid: 0, mode: 0o40711 }, true],
  ["others may not", { uid: 0, gid: 0, mode: 0o40700 }, false],
  ["others may only read the names", { uid: 0, gid: 0, mode: 0o40704 }, false],
  ["its group may", { uid: 0, gid: 100, mode: 0o40710 }, true],
  ["its group may not, though others may", { uid: 0, gid: 33, mode: 0o40701 }, false],
  ["it owns it", { uid: 33, gid: 0, mode: 0o40700 }, true],
  ["it owns it and has shut itself out", { uid: 33, gid: 33, mode: 0o40077 }, false],
])("a folder is open or not as the system decides: %s", (_, folder, isOpen) => {
  expect(mayEnter(www, folder)).toBe(isOpen);
});

test("root may enter everything", () => {
  expect(mayEnter({ uid: 0, gids: [0] }, { uid: 1, gid: 1, mode: 0 })).toBe(true);
});

test("the way to a folder begins at the root and ends with it", () => {
  expect(wayTo("/srv/www/site")).toEqual(["/", "/srv", "/srv/www", "/srv/www/site"]);
});
