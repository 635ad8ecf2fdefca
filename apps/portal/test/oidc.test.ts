// The portal with a provider of logins beside it, as people meet both: in a real browser, without scripts.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openPage, takePicture } from "@gw-private/browser";
import { freePorts } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";

const root = join(import.meta.dirname, "..");
let data = "";
let portal: ChildProcess;
let url = "";

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "portal-oidc-"));
  const [port, providerPort] = await freePorts(2);
  const origin = `http://127.0.0.1:${port}`;
  portal = spawn(
    process.execPath,
    [join(root, "../../packages/cli/bin/gw.js"), "serve", "--port", String(port), "--no-access-log"],
    {
      cwd: root,
      env: { ...process.env, PORTAL_DATA: data, PORTAL_OIDC: String(providerPort), PORTAL_ORIGIN: origin },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const lines = createInterface({ input: portal.stderr as NodeJS.ReadableStream });
  for await (const line of lines) {
    const found = /^gw: listening on (\S+)$/.exec(line);
    if (found === null) continue;
    url = found[1] as string;
    break;
  }
  portal.stderr?.resume();
}, 40_000);

afterAll(async () => {
  portal.kill("SIGTERM");
  const [code] = portal.exitCode === null ? await once(portal, "exit") : [portal.exitCode];
  await rm(data, { recursive: true, force: true });
  expect(code).toBe(0);
});

const withoutScripts = { javaScriptEnabled: false } as const;
const who = (page: Page) => page.locator("header .who strong").textContent();

async function logInAtProvider(page: Page, person: string): Promise<void> {
  await page.getByRole("link", { name: "Sign in with a provider" }).click();
  await page.getByRole("button", { name: person }).click();
}

describe("a login at the provider", () => {
  requires(
    "chromium",
    "python3",
    "perl",
    "sh",
  )("leads back to the page, and every kind of app sees one user", async () => {
    const { page } = await openPage(withoutScripts);
    await page.goto(`${url}/guestbook/`);
    await takePicture(page, "portal-login-light");
    await logInAtProvider(page, "Ann Example");
    expect(page.url()).toBe(`${url}/guestbook/`);
    expect(await page.locator(".lead").textContent()).toContain("Hello, ann.");
    for (const path of ["/wsgi/", "/asgi/", "/cgi-bin/hello.sh", "/cgi-bin/turn.pl"]) {
      await page.goto(url + path);
      expect(await page.locator("h1").textContent()).toMatch(/^Hello, ann!?$/);
    }
    await page.goto(`${url}/cgi-bin/hello.sh`);
    expect(await page.locator("table").textContent()).toContain("AUTH_TYPEoidc");
    await page.goto(`${url}/account/`);
    expect(await who(page)).toBe("ann");
    expect(await page.locator("table").textContent()).toContain("staff");
    await takePicture(page, "portal-account-light");
  });

  requires("chromium")("brings groups: staff sees the page of staff, others get 403", async () => {
    const { page } = await openPage({ ...withoutScripts, colorScheme: "dark" });
    await page.goto(`${url}/staff/`);
    await takePicture(page, "portal-login-dark");
    await page.getByRole("link", { name: "Sign in with a provider" }).click();
    await takePicture(page, "portal-provider-dark");
    await page.getByRole("button", { name: "Bob Example" }).click();
    expect(await page.locator("main").textContent()).toContain("403");
    await takePicture(page, "portal-forbidden-dark");
    const { page: other } = await openPage(withoutScripts);
    await other.goto(`${url}/staff/`);
    await other.getByLabel("Name").fill("chief");
    await other.getByLabel("Password").fill("open barley");
    await other.getByRole("button", { name: "Sign in" }).click();
    expect(await other.locator("h1").textContent()).toBe("For staff only");
  });

  requires("chromium")("ends here and there: the way out leads to the provider and back", async () => {
    const { page } = await openPage(withoutScripts);
    await page.goto(`${url}/login?next=/account/`);
    await logInAtProvider(page, "Ann Example");
    await page.goto(`${url}/login`);
    await takePicture(page, "portal-signed-in-light");
    await page.getByRole("button", { name: "Sign out" }).click();
    await takePicture(page, "portal-provider-logout-light");
    await page.getByRole("button", { name: "Sign out of the provider, too" }).click();
    expect(page.url()).toBe(`${url}/`);
    expect(await page.locator("header .who").textContent()).toContain("Log in");
    await page.goto(`${url}/login?next=/account/`);
    await page.getByRole("link", { name: "Sign in with a provider" }).click();
    expect(await page.locator("h1").textContent()).toBe("Who are you?");
  });

  requires("chromium")("ends on all devices with one button", async () => {
    const [phone, laptop] = [
      await openPage(withoutScripts),
      await openPage({ ...withoutScripts, colorScheme: "dark" }),
    ];
    for (const { page } of [phone, laptop]) {
      await page.goto(`${url}/login?next=/account/`);
      await logInAtProvider(page, "Bob Example");
      expect(await who(page)).toBe("bob");
    }
    await takePicture(laptop.page, "portal-account-dark");
    await phone.page.getByRole("button", { name: "Log out everywhere" }).click();
    await laptop.page.goto(`${url}/account/`);
    expect(await laptop.page.locator("h1").textContent()).toBe("Sign in");
  });
});
