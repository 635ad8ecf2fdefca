// Real web servers guard a folder with our layers: as an Authorizer, and by auth_request and forward-auth.
import { collect } from "@gw/testing";
import { requires } from "@gw-private/requires";
import { describe, expect } from "vitest";
import { guardedServers, openGuarded } from "../guarded-servers.ts";

const basic = (name: string, password: string): [string, string] => [
  "Authorization",
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
];

/** What becomes of a redirect to a login page: where Apache has a 401 of its own, nothing. */
const redirects: Readonly<Record<string, readonly [status: number, location: string | null]>> = {
  "Apache mod_authnz_fcgi, its own Basic": [401, null],
  "Apache mod_fcgid": [401, null],
};

for (const server of guardedServers) {
  describe(server.name, () => {
    requires(...server.needs)("guards a folder: users read it and are known, nobody else does", async () => {
      const folder = await openGuarded(server);
      const get = async (target: string, ...headers: [string, string][]) =>
        collect(await folder.send({ target, headers }));
      try {
        const unknown = await get("/secret.txt");
        expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([
          401,
          expect.stringMatching(/^Basic realm="Restricted"/),
        ]);
        expect(unknown.text()).not.toContain("the secret");
        for (const headers of [
          [basic("ada", "wrong")],
          [["Remote-User", "ada"]],
          [["Variable-REMOTE_USER", "ada"]],
          [
            ["X-Original-URI", "/public"],
            ["X-Forwarded-Uri", "/public"],
          ],
        ] as [string, string][][]) {
          const refused = await get("/secret.txt", ...headers);
          expect([refused.status, refused.text().includes("the secret")], String(headers)).toEqual([401, false]);
        }
        const known = await get("/secret.txt?x=1", basic("ada", "lovelace"));
        expect([known.status, known.text()]).toEqual([200, "the secret\n"]);
        const forging = [
          ["Remote-Groups", "root"],
          ["Variable-REMOTE_GROUPS", "root"],
        ] as [string, string][];
        expect((await get("/secret.txt", basic("bob", "lovelace"), ...forging)).status).toBe(200);
        expect((await get("/none.txt")).status, "nobody learns what is there").toBe(401);
        expect((await get("/none.txt", basic("ada", "lovelace"))).status).toBe(404);
        const upload = await folder.send({
          method: "POST",
          target: "/secret.txt",
          headers: [["Content-Type", "text/plain"]],
          body: Buffer.from("a body that no authorizer gets"),
        });
        expect((await collect(upload)).status).toBe(401);
        const moved = await get("/secret.txt", ["X-Want", "form"]);
        expect([moved.status, moved.headers.get("location")]).toEqual(
          redirects[server.name] ?? [302, "/login?then=/secret.txt"],
        );
        await folder.close();
        const lines = await folder.log();
        const served = lines.filter((line) => line.endsWith(" 200")).map((line) => line.replace(/ -(?= )/, " "));
        expect(served).toEqual(["ada staff,ops 200", "bob  200"]);
      } finally {
        await folder.close();
        await folder.remove();
      }
    });
  });
}
