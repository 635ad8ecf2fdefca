import { compose, http, json, readForm } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type MethodOverrideOptions, methodOverride } from "./method-override.ts";

const appOf = (options?: MethodOverrideOptions) =>
  compose(
    [methodOverride(options)],
    http(async (given) => {
      const isForm = given.headers.get("content-type")?.includes("urlencoded") === true;
      return json({ method: given.method, form: isForm ? String(await readForm(given)) : null });
    }),
  );
const form = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };

test("a form's field names the method, and the app still reads the whole form", async () => {
  const init = { method: "POST", headers: form, body: "a=1&_method=delete" };
  expect((await request(appOf(), "/", init)).json()).toEqual({ method: "DELETE", form: "a=1&_method=delete" });
});

test.each<[string, string, Record<string, string>, string, string]>([
  ["a header", "POST", { "X-HTTP-Method-Override": "PATCH" }, "", "PATCH"],
  ["the header before the form", "POST", { ...form, "X-HTTP-Method-Override": "PUT" }, "_method=DELETE", "PUT"],
  ["no other method than a POST", "GET", { "X-HTTP-Method-Override": "DELETE" }, "", "GET"],
  ["no method that is not listed", "POST", { "X-HTTP-Method-Override": "TRACE" }, "", "POST"],
  ["no form of another type", "POST", { "Content-Type": "text/plain" }, "_method=DELETE", "POST"],
  ["no form without the field", "POST", form, "a=1", "POST"],
])("reads %s", async (_what, method, headers, body, expected) => {
  const answer = await request(appOf(), "/", { method, headers, ...(body !== "" && { body }) });
  expect(answer.json()).toMatchObject({ method: expected });
});

test("both sources can be turned off, and the methods chosen", async () => {
  const init = { method: "POST", headers: { ...form, "X-HTTP-Method-Override": "PUT" }, body: "_method=LINK" };
  expect((await request(appOf({ header: false }), "/", init)).json()).toMatchObject({ method: "POST" });
  const options = { header: false, methods: ["LINK"] } as const;
  expect((await request(appOf(options), "/", init)).json()).toMatchObject({ method: "LINK" });
  expect((await request(appOf({ header: false, field: false }), "/", init)).json()).toMatchObject({ method: "POST" });
});

test("a form without a length, or a huge one, is not held in memory for this", async () => {
  const body = [new TextEncoder().encode("_method=PUT")];
  expect((await request(appOf(), "/", { method: "POST", headers: form, body })).json()).toMatchObject({
    method: "POST",
  });
  const huge = `_method=PUT&x=${"x".repeat(1_048_576)}`;
  const app = compose([methodOverride()], (given) => json(given.method));
  expect((await request(app, "/", { method: "POST", headers: form, body: huge })).json()).toBe("POST");
});

test("makes no promise where there is no form", () => {
  const app = compose([methodOverride()], () => ({ ...json(1) }));
  expect(promisesMadeBy(() => void app.handle(testRequest("/", { method: "POST", body: "x" })))).toBe(0);
});
