import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { logFile, reopenLogFiles } from "../src/node/log-file.ts";
import { createLogger } from "../src/node/logger.ts";

let folder: string;
const droppedLine = (count: number): string => `${count} dropped\n`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("lines before a rotation are in the file that was moved away, later ones in the new one, none is lost", async () => {
  const path = join(folder, "gw.log");
  const file = logFile(path, { droppedLine });
  file.write("one\n");
  renameSync(path, `${path}.1`);
  file.write("two\n");
  const reopened = reopenLogFiles();
  file.write("three\n");
  expect(await reopened).toEqual([]);
  await file.close();
  expect(readFileSync(`${path}.1`, "utf8")).toBe("one\ntwo\n");
  expect(readFileSync(path, "utf8")).toBe("three\n");
});

test("a path that cannot be opened anew is told, and the old file goes on", async () => {
  const path = join(folder, "logs");
  const file = logFile(join(folder, "gw.log"), { droppedLine });
  file.write("one\n");
  renameSync(folder, `${folder}-away`);
  expect(await reopenLogFiles()).toEqual([expect.stringMatching(/^cannot open the log file .*gw\.log: ENOENT/)]);
  renameSync(`${folder}-away`, folder);
  file.write("two\n");
  await file.close();
  expect(readFileSync(join(folder, "gw.log"), "utf8")).toBe("one\ntwo\n");
  expect(existsSync(path)).toBe(false);
});

test("a file that was closed is not opened by a rotation, but by its next line", async () => {
  const path = join(folder, "gw.log");
  const file = logFile(path, { droppedLine });
  file.write("one\n");
  await file.close();
  rmSync(path);
  expect(await reopenLogFiles()).toEqual([]);
  expect(existsSync(path)).toBe(false);
  file.write("two\n");
  await file.close();
  expect(readFileSync(path, "utf8")).toBe("two\n");
});

test("a logger writes to a file, and says at once if it cannot", async () => {
  const path = join(folder, "gw.log");
  const log = createLogger({ destination: { path }, format: "json" });
  log.info({ port: 1 }, "hello");
  await log.flush();
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ level: "info", port: 1, msg: "hello" });
  expect(() => createLogger({ destination: { path: join(folder, "no/gw.log") } })).toThrow(
    expect.objectContaining({ code: "GW_LOG_FILE" }),
  );
});
