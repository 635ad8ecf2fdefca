import { testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { requestOrigin } from "./own-origin.ts";

test.each<[expected: string, headers: Record<string, string>]>([
  ["same", { "Sec-Fetch-Site": "same-origin" }],
  ["same", { "Sec-Fetch-Site": "none" }],
  ["cross", { "Sec-Fetch-Site": "same-site" }],
  ["cross", { "Sec-Fetch-Site": "cross-site" }],
  ["cross", { "Sec-Fetch-Site": "cross-site", Origin: "http://app.example" }],
  ["same", { Origin: "http://app.example" }],
  ["same", { Origin: "http://APP.example:80" }],
  ["cross", { Origin: "https://app.example" }],
  ["cross", { Origin: "http://app.example:8080" }],
  ["cross", { Origin: "http://app.example.evil.example" }],
  ["cross", { Origin: "http://evil.example" }],
  ["cross", { Origin: "null" }],
  ["cross", { Origin: "" }],
  ["unknown", {}],
  ["same", { Origin: "https://www.example", "Sec-Fetch-Site": "cross-site" }],
])("R-M10: %s: %j", (expected, headers) => {
  const request = testRequest("/", { method: "POST", headers: { Host: "app.example", ...headers } });
  expect(requestOrigin(request, ["https://www.example"])).toBe(expected);
});

test("R-M10: two opaque origins are not the same", () => {
  const request = testRequest("/", { headers: { Host: "not a host", Origin: "null" } });
  expect(requestOrigin(request)).toBe("cross");
});
