// The host side of CGI: the same programs under our host and, to check the cases themselves, under Apache and lighttpd.
import { requires } from "@gw-private/requires";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerCases } from "../cgi-hosts/answer-cases.ts";
import { asking, type HostCase } from "../cgi-hosts/case.ts";
import { cgiHosts, type HostPlace, type OpenHost, placePrograms, removePlace } from "../cgi-hosts/hosts.ts";
import { requestCases } from "../cgi-hosts/request-cases.ts";

const cases: readonly HostCase[] = [...requestCases, ...answerCases];

for (const host of cgiHosts) {
  describe(host.name, () => {
    let place: HostPlace;
    let opened: OpenHost;
    beforeAll(async () => {
      place = await placePrograms(Object.fromEntries(cases.map(({ name, program }) => [name, program])));
      opened = await host.open(place);
    });
    afterAll(async () => {
      await opened?.close();
      await removePlace(place);
    });
    for (const one of cases) {
      if (one.unsteady?.[host.name] !== undefined) continue;
      const why = one.deviates?.[host.name];
      if (why === undefined) requires(...host.needs)(one.title, () => one.check(asking(opened, one)));
      // A record of what a server does otherwise is only worth something while it is true.
      else {
        requires(...host.needs)(`deviates (${why}): ${one.title}`, async () => {
          await expect(one.check(asking(opened, one))).rejects.toThrow();
        });
      }
    }
  });
}

test("every case has its own program, and none of ours deviates", () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
  const known = cgiHosts.filter(({ isOurs }) => !isOurs).map(({ name }) => name);
  for (const { deviates, unsteady } of cases) {
    expect(known).toEqual(expect.arrayContaining(Object.keys({ ...deviates, ...unsteady })));
  }
});

test("CGI-HOSTS.md shows what runs", async () => {
  await expect(table()).toMatchFileSnapshot("../CGI-HOSTS.md");
});

function table(): string {
  const rows = cases.map(({ title, deviates, unsteady }) => {
    const cells = cgiHosts.map(({ name }) => {
      const why = deviates?.[name] ?? unsteady?.[name];
      return why === undefined ? "✓" : `– (${why})`;
    });
    return `| ${title} | ${cells.join(" | ")} |`;
  });
  return [
    "# Cases of the CGI host side",
    "",
    "Written by the test run: the same programs under our host and under two web servers. `–` names what a server does otherwise;",
    "that it does is checked as well.",
    "",
    `| case | ${cgiHosts.map(({ name }) => name).join(" | ")} |`,
    `|---|${cgiHosts.map(() => "---|").join("")}`,
    ...rows,
    "",
  ].join("\n");
}
