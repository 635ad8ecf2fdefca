import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseArguments } from "./config/arguments.ts";
import { type Invocation, invocationOf } from "./invocation.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-call-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}

function call(words: string, environment: NodeJS.ProcessEnv = {}): Promise<Invocation> {
  const output = { write: () => true };
  const line = parseArguments("serve", words.split(" ").filter(Boolean));
  return invocationOf(line, { folder, environment, stdout: output, stderr: output }, { appOperand: line.operands[0] });
}

describe("invocationOf", () => {
  test("joins flags, variables and file; each may come from any of them", async () => {
    write("gw.config.json", { app: "./app.ts", port: 1, host: "a", timeout: "5m", logLevel: "warn" });
    const { settings } = await call("-p 3", { GW_PORT: "2", GW_HOST: "b" });
    expect([...settings]).toEqual([
      { key: "host", value: "b", origin: "environment" },
      { key: "port", value: 3, origin: "flag" },
      { key: "timeout", value: 300_000, origin: "file" },
      { key: "logLevel", value: "warn", origin: "file" },
    ]);
  });

  test("reads the file in the folder only if no app is named, and the one that --config or GW_CONFIG names in any case", async () => {
    write("gw.config.json", { port: 1 });
    write("other.json", { port: 2 });
    expect((await call("./app.ts")).configFile).toBeNull();
    expect((await call("")).settings.number("port")).toBe(1);
    expect((await call("./app.ts -c other.json")).settings.number("port")).toBe(2);
    expect((await call("./app.ts", { GW_CONFIG: "other.json" })).settings.number("port")).toBe(2);
    await expect(call("-c none.json")).rejects.toThrow("configuration file none.json not found (looked for ");
  });

  test("lets paths start from where they are written", async () => {
    mkdirSync(join(folder, "etc"));
    write("etc/gw.json", {
      uds: "./a.sock",
      sslCertfile: "c.pem",
      reloadDir: ["x"],
      bind: ["unix:./b.sock", "unix:/abs", "localhost:1"],
    });
    const { settings } = await call("-c etc/gw.json --pid gw.pid", { GW_SSL_KEYFILE: "./k.pem" });
    expect(settings.text("uds")).toBe(join(folder, "etc/a.sock"));
    expect(settings.text("sslCertfile")).toBe(join(folder, "etc/c.pem"));
    expect(settings.list("reloadDir")).toEqual([join(folder, "etc/x")]);
    expect(settings.list("bind")).toEqual([`unix:${join(folder, "etc/b.sock")}`, "unix:/abs", "localhost:1"]);
    expect(settings.text("pid")).toBe(join(folder, "gw.pid"));
    expect(settings.text("sslKeyfile")).toBe(join(folder, "k.pem"));
  });

  test("reads variables from a file first; those already set stay", async () => {
    write("a.env", "GW_PORT=1\nGW_HOST='h'\nMINE=\"two words\"\n# comment\n");
    const environment: NodeJS.ProcessEnv = { GW_HOST: "set" };
    const { settings } = await call("./app.ts --env-file a.env", environment);
    expect(settings.number("port")).toBe(1);
    expect(settings.text("host")).toBe("set");
    expect(environment.MINE).toBe("two words");
    await expect(call("./app.ts --env-file none.env")).rejects.toThrow(
      expect.objectContaining({
        code: "GW_START",
        message: expect.stringContaining("cannot read --env-file none.env"),
      }),
    );
  });

  test("reads the variables' file that the configuration names, too", async () => {
    write("b.env", "GW_PORT=7\n");
    write("gw.config.json", { envFile: "./b.env", port: 1 });
    expect((await call("")).settings.number("port")).toBe(7);
  });

  test("reads the file as it is now when it is read again", async () => {
    write("gw.config.json", { port: 1 });
    const first = await call("-c gw.config.json");
    write("gw.config.json", { port: 2 });
    expect((await first.reread()).settings.number("port")).toBe(2);
    write("gw.config.json", { prot: 2 });
    await expect(first.reread()).rejects.toThrow('unknown key "prot" (did you mean "port"?)');
  });

  test("checks the values of the file whatever the command takes of them", async () => {
    write("gw.config.json", { port: 1 });
    write("bad.json", { method: "GET" });
    await expect(call("-c bad.json")).rejects.toThrow('unknown key "method"');
    write("bad.json", { port: "eighty" });
    await expect(call("-c bad.json")).rejects.toThrow('port: found "eighty", expected a port');
    write("bad.json", "{ port: 1 }");
    await expect(call("-c bad.json")).rejects.toThrow(expect.objectContaining({ code: "GW_START" }));
  });
});
