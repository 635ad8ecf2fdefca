import { isPromise } from "@gw/core";
import { describe, expect, test } from "vitest";
import { hasArgon2 } from "./passwords/argon2.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

// From Apache's documentation, `openssl passwd -apr1`, RFC 7914 §12 and the Argon2 reference implementation.
const known: [kind: string, password: string, hash: string][] = [
  ["bcrypt", "myPassword", "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"],
  ["apr1", "myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"],
  ["apr1", "", "$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie."],
  ["apr1", "a", "$apr1$abcdefgh$G8IsPsylW5ROvIKsQMRG61"],
  ["apr1", "pässwörd €", "$apr1$abcdefgh$jeWGxyr/9Pjks2tAXDZ9m."],
  ["apr1", "x".repeat(40), "$apr1$abcdefgh$7h4098paklNpzdB9KwCdh/"],
  ["apr1", "password", "$apr1$ab$vZXhMKiOqO1yMl8FLQFrs0"],
  ["{SHA}", "myPassword", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="],
  ["{SHA}", "pässword", "{SHA}I7dElEdfX4dJgLdnbVEeI9iG2mQ="],
  [
    "scrypt",
    "password",
    "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
  ],
  ...(hasArgon2()
    ? [
        [
          "argon2id",
          "password",
          "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] as [string, string, string],
      ]
    : []),
];

test.each(known)("R-M2: %s: takes the right password and no other: %j", async (_kind, password, hash) => {
  expect(await verifyPassword(password, hash)).toBe(true);
  expect(verifyPassword(password, hash, { blocking: true })).toBe(true);
  expect(await verifyPassword(`${password}x`, hash)).toBe(false);
  expect(verifyPassword(password.toUpperCase() || "A", hash, { blocking: true })).toBe(false);
});

const algorithms = ["scrypt", "bcrypt", ...(hasArgon2() ? (["argon2id"] as const) : [])] as const;

test.each(algorithms)("what %s hashes, it verifies; no two hashes are alike", async (algorithm) => {
  const [one, two] = [await hashPassword("söme p:w", { algorithm }), await hashPassword("söme p:w", { algorithm })];
  expect(one).not.toBe(two);
  expect(one).toMatch(algorithm === "bcrypt" ? /^\$2b\$12\$/ : new RegExp(`^\\$${algorithm}\\$[\\w=,$]+`));
  expect(await verifyPassword("söme p:w", one)).toBe(true);
  expect(await verifyPassword("some p:w", one)).toBe(false);
});

test("hashes with the best the runtime has", async () => {
  expect(await hashPassword("x")).toMatch(
    hasArgon2() ? /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/ : /^\$scrypt\$ln=15,r=8,p=3\$/,
  );
});

test("bcrypt refuses to cut a long password off", async () => {
  await expect(hashPassword("ü".repeat(37), { algorithm: "bcrypt" })).rejects.toMatchObject({
    code: "GW_PASSWORD_HASH",
  });
});

describe("hashes we cannot check", () => {
  test.each([
    ["plain text", "hunter2"],
    ["crypt(3)", "rqXexS6ZhobKA"],
    ["SHA-512 crypt", "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."],
    ["a bcrypt hash cut off", "$2y$05$c4WoMPo3SXsafkva"],
    ["a bcrypt cost that takes hours", `$2y$31$${"a".repeat(53)}`],
    ["scrypt with 64 GiB", "$scrypt$ln=26,r=8,p=1$TmFDbA$/bq+HJ00cgB4VucZDQHp/g"],
    ["scrypt without parameters", "$scrypt$TmFDbA$/bq+HJ00cgB4VucZDQHp/g"],
    ["Argon2 with 16 GiB", "$argon2id$v=19$m=16777216,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    [
      "Argon2 of an old version",
      "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ],
  ])("%s is an error that does not repeat the hash", (_what, hash) => {
    try {
      verifyPassword("x", hash, { blocking: true });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "GW_PASSWORD_HASH", status: 500 });
      expect((error as Error).message).not.toContain(hash.slice(-8));
    }
  });
});

test("fast kinds answer at once, slow ones later", () => {
  const [slow, fast] = [known[0] as (typeof known)[0], known[7] as (typeof known)[0]];
  expect(isPromise(verifyPassword("x", fast[2]))).toBe(false);
  const later = verifyPassword("x", slow[2]);
  expect(isPromise(later)).toBe(true);
  return later;
});
