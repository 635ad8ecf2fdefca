import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIp, plainIp } from "./ip-address.ts";
import { peerList } from "./peer-list.ts";

const at = (host: string): { host: string; port: number } => ({ host, port: 1 });

test.each([
  { entry: "127.0.0.1", inside: ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"], outside: ["127.0.0.2", "::1"] },
  {
    entry: "10.0.0.0/8",
    inside: ["10.0.0.0", "10.255.255.255"],
    outside: ["11.0.0.0", "9.255.255.255", "nonsense", ""],
  },
  { entry: "10.1.2.128/25", inside: ["10.1.2.128", "10.1.2.255"], outside: ["10.1.2.127", "10.1.3.128"] },
  { entry: "0.0.0.0/0", inside: ["1.2.3.4", "::ffff:1.2.3.4"], outside: ["::1"] },
  { entry: "::1", inside: ["::1", "0:0:0:0:0:0:0:1"], outside: ["::2", "127.0.0.1"] },
  { entry: "fd00::/8", inside: ["fd12::1", "FDFF::"], outside: ["fe00::1"] },
  { entry: "fe80::/10", inside: ["fe80::1%eth0", "febf::"], outside: ["fec0::"] },
  { entry: "::ffff:10.0.0.0/104", inside: ["10.9.9.9"], outside: ["11.0.0.0"] },
  { entry: "*", inside: ["1.2.3.4", "::1", "nonsense"], outside: [] },
])("$entry holds what it should", ({ entry, inside, outside }) => {
  const list = peerList([entry]);
  for (const host of inside) expect([host, list.includes(at(host))]).toEqual([host, true]);
  for (const host of outside) expect([host, list.includes(at(host))]).toEqual([host, false]);
  for (const host of inside) expect(list.includes(at(host))).toBe(true);
});

test("unix sockets are listed by name, and an unknown peer never is", () => {
  expect(peerList(["unix"]).includes({ path: "/run/gw.sock" })).toBe(true);
  expect(peerList(["unix"]).includes({ path: "" })).toBe(true);
  expect(peerList(["unix"]).includes(at("127.0.0.1"))).toBe(false);
  expect(peerList(["127.0.0.1"]).includes({ path: "" })).toBe(false);
  expect(peerList(["*"]).includes({ path: "" })).toBe(true);
  expect(peerList(["*"]).includes(null)).toBe(false);
  expect(peerList([]).includes(at("127.0.0.1"))).toBe(false);
});

test.each([
  "",
  "localhost",
  "10.0.0.1/8",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "::/129",
  "10.0.0.0/8/8",
  "1.2.3",
  "01.2.3.4",
  "10.0.0.0/",
])("refuses the entry %j", (entry) => {
  expect(() => peerList([entry])).toThrow(expect.objectContaining({ code: "GW_PEER_LIST" }));
});

test("remembers a bounded number of peers and still tells them apart", () => {
  const list = peerList(["10.0.0.0/8"]);
  for (let at = 0; at < 2_000; at++) {
    expect(list.includes({ host: `10.0.${at >> 8}.${at & 255}`, port: 1 })).toBe(true);
    expect(list.includes({ host: `11.0.${at >> 8}.${at & 255}`, port: 1 })).toBe(false);
  }
});

test("reads as addresses what the system reads as addresses", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "ffff",
    "12345",
    "g",
    ":",
    "::",
    ".",
    "255",
    "256",
    "01",
    "127.0.0.1",
    "fe80",
  );
  const texts = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect([text, parseIp(text) !== null]).toEqual([text, isIP(text) !== 0]);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ["::", 8],
  ["1::8", 8],
  ["1:2:3:4:5:6:7:8", 8],
  ["1:2:3::5:6:7:8", 8],
  ["1:2:3:4:5:6:1.2.3.4", 8],
  ["1:2:3:4::5:6:7:8", null],
  ["1:2:3:4:5:6:7", null],
  ["1:2:3:4:5:6:7:8:9", null],
  ["1::2::3", null],
  [":::", null],
  [":1:2:3:4:5:6:7", null],
  ["1.2.3.4::", null],
  ["", null],
  ["256.0.0.1", null],
  ["1.2.3.4.5", null],
])("%j has %j groups", (text, groups) => {
  expect(parseIp(text)?.length ?? null).toBe(groups);
});

test("finds an address in a network where the system does", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(32), fc.ipV4(), (address, bits, other) => {
      const system = new BlockList();
      system.addSubnet(address, bits, "ipv4");
      const groups = (parseIp(address) as number[]).slice(6);
      const number = ((groups[0] as number) << 16) | (groups[1] as number);
      const network = bits === 0 ? 0 : number & (-1 << (32 - bits));
      const text = [24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join(".");
      expect(peerList([`${text}/${bits}`]).includes(at(other))).toBe(system.check(other));
      expect(peerList([`${text}/${bits}`]).includes(at(address))).toBe(true);
    }),
  );
});

test.each([
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::FFFF:10.0.0.1", "10.0.0.1"],
  ["::1", "::1"],
  ["10.0.0.1", "10.0.0.1"],
  ["::ffff:999.0.0.1", "::ffff:999.0.0.1"],
])("spells %s as %s", (text, plain) => {
  expect(plainIp(text)).toBe(plain);
});
