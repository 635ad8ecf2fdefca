// A real browser for tests: headless Chromium, driven through playwright-core. Tests that use it say `requires("chromium")`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

/** A page of its own browser; both end with the test. */
export interface BrowserPage {
  readonly page: Page;
  readonly context: BrowserContext;
}

/** What a test asks of the browser. */
export interface BrowserOptions {
  /** Which of the two looks of a page is asked for. @default "light" */
  readonly colorScheme?: "light" | "dark";
  /** `false`: pages run without scripts. @default true */
  readonly javaScriptEnabled?: boolean;
}

/** Where Debian puts it; playwright-core brings no browser of its own. */
const executablePath = "/usr/bin/chromium";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const quiet = ["--disable-component-update", "--disable-sync"];

/** Opens a page in a fresh browser profile; certificates of tests are accepted. The browser is closed when the test ends. */
export async function openPage(options: BrowserOptions = {}): Promise<BrowserPage> {
  const { colorScheme = "light", javaScriptEnabled = true } = options;
  const browser: Browser = await chromium.launch({ executablePath, args: [...flags, ...quiet] });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ colorScheme, javaScriptEnabled, ignoreHTTPSErrors: true });
  context.setDefaultTimeout(10_000);
  return { page: await context.newPage(), context };
}

/** Keeps a picture of the page as `test-results/pictures/<name>.png`, for people to look at. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = join(import.meta.dirname, "../../test-results/pictures");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
