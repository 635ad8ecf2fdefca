// The page of showExceptions in a real browser, light and dark: nothing is refused by its own policy, nothing overflows.
import { compose, GatewayError, layer, withPrincipal } from "@gw/core";
import { serve } from "@gw/http";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { describe, expect, onTestFinished } from "vitest";
import { showExceptions } from "../src/show-exceptions.ts";

const known = layer({
  name: "known",
  onRequest: (request) => withPrincipal(request, { user: "ann", type: "form", groups: [], claims: {} }),
});

function loadOrder(id: string): never {
  const cause = new TypeError("Cannot read properties of undefined (reading 'total')");
  throw new GatewayError("GW_ORDER", 500, `order ${id} cannot be shown`, { cause });
}

async function site(): Promise<string> {
  const app = compose([showExceptions(), known], (request) => loadOrder(request.query.slice(3)));
  const server = serve(app, { bind: "127.0.0.1:0" });
  await server.ready;
  onTestFinished(() => server.close());
  return server.url;
}

describe.each(["light", "dark"] as const)("the page, %s", (colorScheme) => {
  requires("chromium")("shows where the error was thrown, and fits wide and narrow windows", async () => {
    const { page } = await openPage({ colorScheme });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    const answer = await page.goto(`${await site()}/orders?id=4711&token=abc`);
    expect(answer?.status()).toBe(500);
    expect(await page.textContent("h1")).toMatch(/^order 4711/);
    expect(await page.textContent("details[open] mark")).toContain("throw new GatewayError");
    expect(await page.textContent("table")).toContain("ann (form)");
    await takePicture(page, `exception-${colorScheme}`);
    await page.setViewportSize({ width: 375, height: 700 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(375);
    await takePicture(page, `exception-narrow-${colorScheme}`);
    expect(complaints.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
  });
});
