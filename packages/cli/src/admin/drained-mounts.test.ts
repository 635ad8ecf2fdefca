import { compose, gateway, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { DrainedMounts } from "./drained-mounts.ts";
import { mountPlaces } from "./mount-places.ts";

test("a drained mount answers 503 with Retry-After, its neighbours and what is inside another mount go on", async () => {
  const app = gateway()
    .mount("/a", () => text("a"))
    .mount("/a/b", () => text("b"))
    .run(() => text("rest"));
  const drained = new DrainedMounts();
  drained.use(mountPlaces(app.describe?.()));
  expect(drained.places).toEqual(["/a/b", "/a"]);
  const whole = compose([drained.layer], app);
  expect(drained.set("/a", true)).toBe(true);
  expect(drained.list).toEqual(["/a"]);
  const answer = await request(whole, "/a/x");
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "30"]);
  expect((await request(whole, "/a/b/x")).text()).toBe("b");
  expect((await request(whole, "/other")).text()).toBe("rest");
  drained.set("/a", false);
  expect((await request(whole, "/a/x")).text()).toBe("a");
});

test("says that there is no such mount", () => {
  expect(new DrainedMounts().set("/x", true)).toBe(false);
});
