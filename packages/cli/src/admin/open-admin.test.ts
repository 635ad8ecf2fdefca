import { HeaderList } from "@gw/core";
import { expect, test } from "vitest";
import { accessOf } from "./open-admin.ts";

const asked = (client: string | null, host: string, headers: Record<string, string> = {}) =>
  accessOf({
    client: client === null ? null : client === "unix" ? { path: "" } : { host: client, port: 1 },
    server: { host, port: 9000 },
    headers: HeaderList.from(headers),
  });

test("a unix socket may control, loopback may look, everybody else gets probes", () => {
  expect(asked("unix", "localhost")).toBe("control");
  expect(asked("127.0.0.1", "localhost")).toBe("look");
  expect(asked("::1", "::1")).toBe("look");
  expect(asked("192.0.2.1", "localhost")).toBe("probes");
  expect(asked(null, "localhost")).toBe("probes");
});

test("a foreign page in a local browser, or a front server on this machine, does not look", () => {
  expect(asked("127.0.0.1", "evil.example")).toBe("probes");
  expect(asked("127.0.0.1", "localhost", { "X-Forwarded-For": "192.0.2.1" })).toBe("probes");
  expect(asked("127.0.0.1", "localhost", { Forwarded: "for=192.0.2.1" })).toBe("probes");
});
