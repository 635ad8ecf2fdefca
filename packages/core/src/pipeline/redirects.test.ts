import fc from "fast-check";
import { expect, test } from "vitest";
import type { HttpResponse } from "../model/response.ts";
import { testRequest } from "../testing/builders.ts";
import { openSocket, request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { gateway } from "./gateway.ts";
import { localTarget } from "./local-target.ts";
import { redirects } from "./redirects.ts";

const table = {
  "/old": "/new",
  "/docs/*": "https://docs.example.com/v1/*",
  "/all/*": "/*",
  "/q/*": "/search?q=*&lang=de",
  "/part": "/page#part",
  "/안": "/국/안 x",
  "/abs": "http://example.com/?a=1",
};
const app = compose([redirects(table)], () => text("app"));

test.each([
  ["/old", "/new"],
  ["/old?a=b&c", "/new?a=b&c"],
  ["/docs/a/b?x=1", "https://docs.example.com/v1/a/b?x=1"],
  ["/docs/", "https://docs.example.com/v1/"],
  ["/all/x/y", "/x/y"],
  ["/q/a%26b?more", "/search?q=a%26b&lang=de"],
  ["/part", "/page#part"],
  ["/part?x", "/page?x#part"],
  ["/%EC%95%88", "/%EA%B5%AD/%EC%95%88%20x"],
  ["/abs?b=2", "http://example.com/?a=1"],
  ["/old/../old", "/new"],
])("redirects %s to %s", async (target, location) => {
  const answer = await send(app, target);
  expect(answer.status).toBe(308);
  expect(answer.headers.get("location")).toBe(location);
});

test("what meets no rule goes on; the status can be chosen; sockets are redirected, too", async () => {
  expect((await send(app, "/docs")).text()).toBe("app");
  const temporary = compose([redirects(table, { status: 302 })], () => text(""));
  expect((await send(temporary, "/old")).status).toBe(302);
  expect((await openSocket(app, "/old")).response?.status).toBe(308);
});

test("inside a mount, paths are below the mount, URLs are not", async () => {
  const mounted = gateway().mount(
    "/a b",
    compose([redirects(table)], () => text("")),
  );
  expect((await send(mounted, "/a%20b/old")).headers.get("location")).toBe("/a%20b/new");
  expect((await send(mounted, "/a%20b/docs/x")).headers.get("location")).toBe("https://docs.example.com/v1/x");
});

test.each([
  "/all//evil.example",
  "/all/%2Fevil.example",
  "/all/%5Cevil.example",
  "/all/\\evil.example",
  "/all/%09/evil.example",
  "/all/.//evil.example",
  "/all/@evil.example",
])("R-M12: whatever a client asks for, a path stays on this site: %s", async (target) => {
  const location = (await send(app, target)).headers.get("location");
  expect(location === null || localTarget(location) !== null).toBe(true);
});

test("R-M12: no rest leads a browser off the site, or a URL off its host", () => {
  const site = redirects({ "/x/*": "/*" })(() => text(""));
  const docs = redirects({ "/x/*": "https://docs.example.com/*" })(() => text(""));
  const bytes = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(bytes, bytes, (rest, query) => {
      const request = { ...testRequest("/"), path: `/x/${rest}`, query };
      const local = (site(request) as HttpResponse).headers.get("location") as string;
      expect(new URL(local, "http://site.example").host).toBe("site.example");
      const away = (docs(request) as HttpResponse).headers.get("location") as string;
      expect(new URL(away).host).toBe("docs.example.com");
    }),
  );
});

test.each([
  { "/a": "//evil.example/x" },
  { "/a/*": "https://example.com*" },
  { "/a/*": "https://*/x" },
  { "/a/*": "https://*.example.com/" },
  { "/a": "https://example.com" },
  { "/a": "/\\evil.example" },
  { "/a": "javascript:alert(1)" },
  { "/a": "relative" },
  { "/a/*": "/x/*/y" },
] as Record<string, string>[])("refuses the table %j", (rules) => {
  expect(() => redirects(rules)).toThrow(expect.objectContaining({ code: "GW_PATH_RULE" }));
});

test("a target with a line break is refused", () => {
  expect(() => redirects({ "/a": "/x\r\nSet-Cookie: a=b" })).toThrow(expect.objectContaining({ code: "GW_REDIRECT" }));
});
