import fc from "fast-check";
import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import { identityHeaders, isIdentityHeader, scrubIdentity } from "./identity.ts";

test.each(identityHeaders.map((name) => ({ name })))("R-H18: removes $name in every spelling", ({ name }) => {
  const spellings = [
    name,
    name.toLowerCase(),
    name.toUpperCase(),
    name.replaceAll("-", "_"),
    name.toUpperCase().replaceAll("-", "_"),
    name.replaceAll("-", "."),
    name.replace("-", "_"),
    name.replaceAll("-", "~"),
  ];
  for (const spelling of spellings) {
    const headers = HeaderList.from([
      ["Host", "h"],
      [spelling, "root"],
      ["Accept", "*/*"],
      [spelling.toLowerCase(), "root"],
    ]);
    expect([...scrubIdentity(headers)]).toEqual([
      ["Host", "h"],
      ["Accept", "*/*"],
    ]);
  }
});

test("R-H18: removes configured names too, in every spelling, beside the fixed ones", () => {
  const extra = ["X-Auth-Request-Email"];
  const headers = HeaderList.from({
    x_auth_request_email: "a@b",
    "remote-user": "root",
    "X-Auth-Request-Emails": "kept",
  });
  expect([...scrubIdentity(headers, extra)]).toEqual([["X-Auth-Request-Emails", "kept"]]);
  expect([...scrubIdentity(headers, extra)]).toEqual([["X-Auth-Request-Emails", "kept"]]);
  expect(scrubIdentity(headers).has("x_auth_request_email")).toBe(true);
});

test("gives back the same list when there is nothing to remove", () => {
  const headers = HeaderList.from({
    Host: "h",
    Authorization: "Basic x",
    "User-Agent": "a",
    "X-Forwarded-For": "1.2.3.4",
    "X-Remote-Use": "almost",
    "Remote-Users": "almost",
    "": "nameless",
  });
  expect(scrubIdentity(headers)).toBe(headers);
  expect(scrubIdentity(HeaderList.empty)).toBe(HeaderList.empty);
});

test("R-H18: no name that a careless backend folds to an identity variable gets through", () => {
  const careless = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
  const wanted = new Set(identityHeaders.map(careless));
  const letters = fc.constantFrom(..."-_. ~+");
  const spelled = fc
    .tuple(
      fc.constantFrom(...identityHeaders, "Remote-Use", "Via"),
      fc.infiniteStream(letters),
      fc.infiniteStream(fc.boolean()),
    )
    .map(([name, marks, cases]) =>
      [...name]
        .map((char) => {
          const upper = cases.next().value;
          if (char === "-") return marks.next().value as string;
          return upper ? char.toUpperCase() : char.toLowerCase();
        })
        .join(""),
    );
  fc.assert(
    fc.property(spelled, (name) => {
      expect(isIdentityHeader(name)).toBe(wanted.has(careless(name)));
      expect(scrubIdentity(HeaderList.from([[name, "x"]])).size).toBe(wanted.has(careless(name)) ? 0 : 1);
    }),
  );
});
