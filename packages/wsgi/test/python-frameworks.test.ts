import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect } from "vitest";
import type { PythonWsgiOptions } from "../src/python.ts";
import { type PythonTestApp, start } from "./python-app.ts";

/** Made by `.ci/run`; CONTRIBUTING.md says how by hand. */
const python = join(import.meta.dirname, "../../../node_modules/.cache/python/bin/python");
const withFrameworks = requires(python);
const running: PythonTestApp[] = [];

async function serve(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const one = await start(app, { python, ...options });
  running.push(one);
  return one;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const cookieOf = (value: string | null): string => (value ?? "").split(";")[0] ?? "";
const form = { "Content-Type": "application/x-www-form-urlencoded" };

describe.each([1, 4])("Flask with %i threads", (threads) => {
  withFrameworks("routes under a mount, with the user of the gateway", async () => {
    const app = await serve("flask_app:app", { threads });
    const principal = { user: "ann", type: "form", groups: [], claims: {} };
    expect((await app.request("/app/", { mount: "/app", principal })).text()).toBe("Hello, ann!");
    expect((await app.request("/app/", { mount: "/app", headers: { "Remote-User": "eve" } })).text()).toBe(
      "Hello, stranger!",
    );
    expect((await app.request("/app/nothing", { mount: "/app" })).status).toBe(404);
  });

  withFrameworks("keeps a session through form, redirect and cookie", async () => {
    const app = await serve("flask_app:app", { threads });
    const login = await app.request("/app/login", {
      mount: "/app",
      method: "POST",
      headers: form,
      body: "name=caf%C3%A9",
    });
    expect([login.status, login.headers.get("location")]).toEqual([302, "/app/me"]);
    const headers = { Cookie: cookieOf(login.headers.get("set-cookie")) };
    expect((await app.request("/app/me", { mount: "/app", headers })).json()).toEqual({
      name: "café",
      path: "/me",
      root: "/app",
    });
  });

  withFrameworks("streams, and takes uploads with and without a length", async () => {
    const app = await serve("flask_app:app", { threads });
    expect((await app.request("/stream")).text().split("\n").length).toBe(1_001);
    const file = "x".repeat(300_000);
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${file}\r\n--b--\r\n`;
    const headers = { "Content-Type": "multipart/form-data; boundary=b" };
    const upload = { method: "POST", headers, body };
    expect((await app.request("/upload", upload)).json()).toEqual({ bytes: 300_000, name: "a.txt" });
    const parts = (async function* () {
      for (let index = 0; index < 10; index++) yield Buffer.from("y".repeat(1_000));
    })();
    expect((await app.request("/raw", { method: "POST", body: parts })).text()).toBe("10000");
  });

  withFrameworks("answers an error of the app with its page, and logs it", async () => {
    const app = await serve("flask_app:app", { threads });
    const answer = await app.request("/error");
    expect([answer.status, answer.text().includes("secret")]).toEqual([500, false]);
    await app.logged(/RuntimeError: secret of the app/);
  });
});

withFrameworks("Django's admin: migration, login with CSRF token and session, a page behind it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gw-django-"));
  try {
    const app = await serve("django_site:create()", { env: { SITE_FOLDER: folder } });
    const mounted = { mount: "/site" };
    const refused = await app.request("/site/admin/", mounted);
    expect([refused.status, refused.headers.get("location")]).toEqual([302, "/site/admin/login/?next=/site/admin/"]);
    const page = await app.request("/site/admin/login/", mounted);
    const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(page.text())?.[1] ?? "";
    const csrf = cookieOf(page.headers.get("set-cookie"));
    const login = await app.request("/site/admin/login/?next=/site/admin/", {
      ...mounted,
      method: "POST",
      headers: { ...form, Cookie: csrf },
      body: `csrfmiddlewaretoken=${token}&username=root&password=secret`,
    });
    expect([login.status, login.headers.get("location")]).toEqual([302, "/site/admin/"]);
    const cookies = login.headers.getAll("set-cookie").map(cookieOf).join("; ");
    const inside = await app.request("/site/admin/", { ...mounted, headers: { Cookie: cookies } });
    expect(inside.status).toBe(200);
    expect(inside.text()).toContain("Site administration");
    await app.stop();
    running.length = 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
