import { compose, text } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type HttpsRedirectOptions, httpsRedirect } from "./https-redirect.ts";

const appOf = (options?: HttpsRedirectOptions) => compose([httpsRedirect(options)], () => text("inside"));

test.each<[target: string, host: string, options: HttpsRedirectOptions, location: string]>([
  ["/a/b?x=1&y=%2F", "site.example", {}, "https://site.example/a/b?x=1&y=%2F"],
  ["/%C3%BC%2Fx", "site.example:8080", {}, "https://site.example/%C3%BC%2Fx"],
  ["/", "site.example", { port: 8443 }, "https://site.example:8443/"],
  ["/", "[::1]:8080", { port: 8443 }, "https://[::1]:8443/"],
  ["/x", "evil.test", { host: "www.example" }, "https://www.example/x"],
])("http %s of %s goes to https, %j", async (target, host, options, location) => {
  const answer = await request(appOf(options), target, { headers: { Host: host } });
  expect(answer.status).toBe(308);
  expect(answer.headers.get("location")).toBe(location);
});

test("R-M12: what follows the host is always a path", async () => {
  const answer = await request(appOf(), "//evil.test/x", { headers: { Host: "site.example" } });
  expect(new URL(answer.headers.get("location") ?? "").host).toBe("site.example");
});

test("https passes, the status can be chosen, a mount stays in the path", async () => {
  expect((await request(appOf(), "/", { scheme: "https" })).text()).toBe("inside");
  expect((await request(appOf({ status: 301 }), "/")).status).toBe(301);
  const mounted = await request(appOf(), "/app/x", { mount: "/app", headers: { Host: "h" } });
  expect(mounted.headers.get("location")).toBe("https://h/app/x");
});

test("a malformed Host is 400, an opening is redirected as well", async () => {
  expect((await request(appOf(), "/", { headers: { Host: "a b" } })).status).toBe(400);
  expect((await openSocket(appOf(), "/chat")).response?.status).toBe(308);
});
