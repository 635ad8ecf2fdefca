import { expect, test } from "vitest";
import { serviceManager, takeActivatedBinds } from "./systemd.ts";

test("takes the sockets that are meant for this process, once", () => {
  const environment = { LISTEN_PID: "12", LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b", OTHER: "x" };
  expect(takeActivatedBinds(environment, 12)).toEqual(["fd://3", "fd://4"]);
  expect(environment).toEqual({ OTHER: "x" });
});

test("leaves alone what is meant for another process, or is no number", () => {
  expect(takeActivatedBinds({ LISTEN_PID: "11", LISTEN_FDS: "1" }, 12)).toBeNull();
  expect(takeActivatedBinds({ LISTEN_FDS: "1" }, 12)).toBeNull();
  expect(takeActivatedBinds({ LISTEN_PID: "12", LISTEN_FDS: "many" }, 12)).toBeNull();
  expect(takeActivatedBinds({ LISTEN_PID: "12", LISTEN_FDS: "0" }, 12)).toBeNull();
});

test("says nothing where nobody listens", () => {
  const manager = serviceManager({});
  manager.ready();
  manager.stopping();
  manager.close();
});
