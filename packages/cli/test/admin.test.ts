// The admin listener and `gw ctl`, of one process and of a tree.
import { get as httpGet } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { describe, expect, test } from "vitest";
import type { GatewayStatus } from "../src/admin/control.ts";
import { type Folder, folderWith, gw, type Server, serving } from "./gw.ts";

const app = `import { text } from "@gw/core";
export default async (request) => {
  if (request.path === "/fail") throw new Error("out of <paint>");
  if (request.path === "/slow") await new Promise((done) => setTimeout(done, 300));
  return text("app\\n");
};
`;
const backendApp = `import { text } from "@gw/core";
export default {
  async start({ backends }) {
    const command = [process.execPath, "-e", "setInterval(() => {}, 1e6)"];
    await backends.start({ name: "painter", command, env: {}, socket: "none", ready: "spawn" });
  },
  handle: () => text("tool\\n"),
};
`;

interface Running {
  readonly folder: Folder;
  readonly server: Server;
  /** Its admin listener on loopback. */
  readonly admin: string;
  ctl(...words: readonly string[]): ReturnType<typeof gw>;
}

/** A gateway with a mount, an admin socket and an admin port. */
async function running(words: readonly string[] = []): Promise<Running> {
  const folder = folderWith({ "app.mjs": app, "tool.mjs": backendApp });
  const probe = await serving(folder, ["serve", "app.mjs", "-p", "0"]);
  const port = new URL(probe.urls[0] as string).port; // free a moment ago
  probe.kill("SIGINT");
  await probe.ended;
  const socket = `unix:${join(folder.path, "admin.sock")}`;
  const mounts = ["--mount", "/tool=./tool.mjs", "--admin", socket, "--admin", `127.0.0.1:${port}`];
  const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "--no-access-log", ...mounts, ...words]);
  return {
    folder,
    server,
    admin: `http://127.0.0.1:${port}`,
    ctl: (...all) => gw(folder, ["ctl", ...all, "--admin", "unix:admin.sock"]),
  };
}

async function ask({ server }: Running, path: string, times = 1): Promise<number> {
  let status = 0;
  for (let time = 0; time < times; time++) status = (await fetch(`${server.urls[0]}${path}`)).status;
  return status;
}

async function statusOf({ ctl }: Running): Promise<GatewayStatus> {
  return JSON.parse((await ctl("status", "-j")).stdout) as GatewayStatus;
}

describe.each([
  ["one process", []],
  ["a tree", ["-w", "2"]],
] as const)("%s", (_title, words) => {
  test("probes, metrics and control say and do what the gateway is asked", async () => {
    const gateway = await running(words);
    expect(await (await fetch(`${gateway.admin}/-/live`)).text()).toBe("live\n");
    expect(await (await fetch(`${gateway.admin}/-/ready`)).text()).toBe("ready\n");
    await ask(gateway, "/", 3);
    await ask(gateway, "/fail", 2);
    await ask(gateway, "/tool");
    const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
    expect(metrics).toMatch(/gw_http_requests_total\{app="\/",method="GET",result="sent",status="200"\} 3\n/);
    expect(metrics).toMatch(/gw_http_requests_total\{app="\/",method="GET",result="sent",status="500"\} 2\n/);
    expect(metrics).toMatch(/gw_http_request_duration_seconds_count\{app="\/tool",method="GET"\} 1\n/);

    const status = await statusOf(gateway);
    expect(status).toMatchObject({ isReady: true, pid: gateway.server.pid, drained: [] });
    expect(status.addresses).toEqual(gateway.server.urls);
    expect(status.workers).toHaveLength(words.length === 0 ? 1 : 2);
    expect(status.backends).toMatchObject([{ name: "painter", state: "ready" }]);
    expect(status.errors[0]?.message).toContain("out of <paint>");
    expect((await gateway.ctl("status")).stdout).toMatch(/^gw \S+ on Node [\d.]+, process \d+, up \d+ s, ready\n/);
    expect((await gateway.ctl("mounts")).stdout).toBe(
      "mount / ready, handler app.mjs, 5 requests, 2 failed, 0 under way, 0 waiting\n" +
        "mount /tool ready, app, 1 request, 0 failed, 0 under way, 0 waiting\n",
    );
    expect((await gateway.ctl("backends")).stdout).toMatch(/^backend painter ready, processes \d+\n$/);
  });

  test("a mount is taken out of service and back, also over a reload", async () => {
    const gateway = await running(words);
    expect((await gateway.ctl("drain", "/tool")).stdout).toBe("out of service: /tool\n");
    expect(await ask(gateway, "/tool")).toBe(503);
    expect(await ask(gateway, "/")).toBe(200);
    expect((await gateway.ctl("reload")).code).toBe(0);
    expect(await ask(gateway, "/tool", 4)).toBe(503);
    expect((await statusOf(gateway)).drained).toEqual(["/tool"]);
    await gateway.ctl("resume", "/tool");
    expect(await ask(gateway, "/tool")).toBe(200);
    const unknown = await gateway.ctl("drain", "/nothing");
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'gw: the gateway says 400 Bad Request: mount: found "/nothing", allowed: /tool\n',
    ]);
  });

  test("R-O2: a reload that fails says why to who asked for it", async () => {
    const gateway = await running(words);
    gateway.folder.write("app.mjs", "export default 7 +;\n");
    const { code, stderr } = await gateway.ctl("reload");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot load app.mjs");
    expect(await ask(gateway, "/")).toBe(200);
  });

  test("R-O1: at TERM it is not ready at once, and takes connections until the delay is over", async () => {
    const gateway = await running([...words, "--drain-delay", "2s"]);
    gateway.server.kill("SIGTERM");
    while ((await fetch(`${gateway.admin}/-/ready`)).status === 200) await pause(20);
    expect(await ask(gateway, "/")).toBe(200);
    expect(await gateway.server.ended).toBe(0);
  });

  test("stop ends it", async () => {
    const gateway = await running(words);
    expect((await gateway.ctl("stop")).stdout).toBe("stopping\n");
    expect(await gateway.server.ended).toBe(0);
    expect((await gateway.ctl("status")).stderr).toMatch(
      /^gw: cannot reach a gateway at unix:.*admin\.sock: there is no such socket\n$/,
    );
  });
});

test("the number of workers follows gw ctl, one process says that it has none", async () => {
  const tree = await running(["-w", "1"]);
  expect((await tree.ctl("workers", "2")).stdout).toBe("workers: 2\n");
  while ((await statusOf(tree)).workers.filter(({ state }) => state === "ready").length < 2) await pause(50);
  for (const [word, found] of [
    ["0", "0"],
    ["257", "257"],
    ["two", '"two"'],
  ] as const)
    expect((await tree.ctl("workers", word)).stderr).toBe(
      `gw: the gateway says 400 Bad Request: workers: found ${found}, allowed: a whole number from 1 to 256\n`,
    );
  const alone = await running();
  expect((await alone.ctl("workers", "2")).stderr).toContain("this gateway is one process; start it with --workers");
});

test("R-O2: a configuration that is wrong changes nothing, and whoever asked for the reload is told why", async () => {
  const folder = folderWith({ "app.mjs": app, "gw.config.json": '{ "app": "./app.mjs", "workers": 1 }' });
  const server = await serving(folder, ["serve", "-p", "0", "--no-access-log", "--admin", "unix:admin.sock"]);
  folder.write("gw.config.json", '{ "app": "./app.mjs", "workrs": 2 }');
  const socket = `unix:${join(folder.path, "admin.sock")}`;
  const { code, stderr } = await gw(folderWith(), ["ctl", "reload", "--admin", socket]); // not where the configuration is
  expect(code).toBe(1);
  expect(stderr).toContain('unknown key "workrs" (did you mean "workers"?)');
  expect(server.stderr()).toMatch(/^gw: gw\.config\.json: unknown key "workrs" \(did you mean "workers"\?\)/m);
  expect(server.stderr()).not.toContain("exited with code 2");
  expect((await fetch(server.urls[0] as string)).status).toBe(200);
});

test("requests are counted only when somebody may look, or when --metrics says so", async () => {
  const quiet = await running(["--no-metrics"]);
  await ask(quiet, "/");
  expect(await (await fetch(`${quiet.admin}/metrics`)).text()).not.toContain("gw_http_requests_total");
});

test("control is refused at a loopback address, everything but probes to foreign hosts", async () => {
  const { admin } = await running();
  expect((await fetch(`${admin}/reload`, { method: "POST" })).status).toBe(403);
  expect((await fetch(`${admin}/`)).status).toBe(200);
  const rebound = await new Promise<number | undefined>((done, fail) => {
    const headers = { Host: "evil.example" };
    httpGet(`${admin}/status`, { headers }, (answer) => done(answer.resume().statusCode)).on("error", fail);
  });
  expect(rebound).toBe(403);
  expect((await fetch(`${admin}/nowhere`)).status).toBe(404);
});

test("what gw ctl is told wrongly is one line", async () => {
  const folder = folderWith();
  const called = async (...words: readonly string[]) => (await gw(folder, ["ctl", ...words])).stderr;
  expect(await called("relaod")).toMatch(/^gw: ctl: found "relaod" \(did you mean "reload"\?\), allowed: status, /);
  expect(await called("drain")).toBe("gw: ctl drain needs a value: gw ctl drain MOUNT\n");
  expect(await called("reload", "now")).toBe('gw: ctl reload takes no value, found "now"\n');
  expect(await called("status")).toMatch(/^gw: ctl needs the unix socket of the gateway: --admin unix:\/path/);
  expect((await gw(folder, ["ctl"])).code).toBe(2);
});

for (const colorScheme of ["light", "dark"] as const) {
  requires("chromium")(`the status page shows the gateway and follows it, in a ${colorScheme} browser`, async () => {
    const gateway = await running(["-w", "2"]);
    await ask(gateway, "/", 20);
    await ask(gateway, "/fail", 3);
    await ask(gateway, "/slow", 2);
    const { page } = await openPage({ colorScheme });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(gateway.admin);
    await page.getByText("out of <paint>").first().waitFor();
    const tool = page.getByRole("row", { name: /^\/tool/ });
    expect(await tool.textContent()).toMatch(/0\/s0000––$/); // there before its first request
    await ask(gateway, "/tool", 5);
    await tool.getByRole("cell", { name: "5", exact: true }).waitFor(); // by an event: the page was not loaded again
    await takePicture(page, `status-${colorScheme}`);
    expect(complaints).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390); // tables scroll, the page does not
    await takePicture(page, `status-small-${colorScheme}`);
    gateway.server.kill("SIGKILL");
    await page.getByText("The gateway does not answer").waitFor();
  });
}
