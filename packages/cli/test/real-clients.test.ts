// Logins with clients and files that others wrote: curl, Apache's htpasswd, openssl; and from one gateway to the next.
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { authEndpoint, compose, type GatewayRequest, gateway, http, json, type Middleware } from "@gw/core";
import { proxy, type ServeOptions, serve } from "@gw/http";
import { basicAuth } from "@gw/middleware/basic-auth";
import { clientCertificate } from "@gw/middleware/client-certificate";
import { type DigestAlgorithm, digestAuth, digestHashes } from "@gw/middleware/digest-auth";
import { formLogin } from "@gw/middleware/form-login";
import { forwardAuth } from "@gw/middleware/forward-auth";
import { gatewayIdentity, signIdentity } from "@gw/middleware/gateway-identity";
import { remoteUser } from "@gw/middleware/remote-user";
import { requireUser } from "@gw/middleware/require-user";
import { session } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { requires } from "@gw-private/requires";
import { describe, expect, onTestFinished } from "vitest";
import { CertificateAuthority } from "../../middleware/test/certificate-authority.ts";
import { folderWith } from "./gw.ts";

const run = promisify(execFile);
const who = http(({ principal, headers }: GatewayRequest) =>
  json({ user: principal?.user ?? null, type: principal?.type ?? null, names: [...headers].map(([name]) => name) }),
);
const listen = async (app: Parameters<typeof serve>[0], options: ServeOptions = {}): Promise<string> => {
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, ...options });
  onTestFinished(() => server.close());
  await server.ready;
  return server.url;
};
const guarded = (...layers: Middleware[]) => compose(layers, who);
/** Status and body, as curl saw them. */
const curl = async (...words: string[]): Promise<{ status: number; body: string; user: string | null }> => {
  const { stdout } = await run("curl", ["-s", "--max-time", "10", "-w", "\n%{http_code}", ...words]);
  const [, body = "", status = ""] = /^([\s\S]*)\n(\d+)$/.exec(stdout) ?? [];
  return { status: Number(status), body, user: body.startsWith("{") ? JSON.parse(body).user : null };
};

describe("R-M2: files of Apache's htpasswd", () => {
  const fileOf = (kind: string): string => {
    const path = join(folderWith().path, "users");
    execFileSync("htpasswd", ["-cb", kind, path, "ann", "öpen sesame"], { stdio: "pipe" });
    return path;
  };

  requires("curl", "htpasswd")("with bcrypt, apr1 and {SHA} let the right password in, and no other", async () => {
    for (const kind of ["-B", "-m", "-s"]) {
      const url = await listen(guarded(basicAuth({ htpasswd: fileOf(kind) })));
      expect(await curl("-u", "ann:öpen sesame", url)).toMatchObject({ status: 200, user: "ann" });
      expect((await curl("-u", "ann:open sesame", url)).status).toBe(401);
      expect((await curl("-u", "bob:öpen sesame", url)).status).toBe(401);
    }
  });

  requires("htpasswd")(
    "with plain text or crypt stop the start and name the user; plain only when asked, crypt never",
    async () => {
      const start = (kind: string, plain: boolean) => listen(guarded(basicAuth({ htpasswd: fileOf(kind), plain })));
      for (const kind of ["-p", "-d", "-2", "-5"]) {
        await expect(start(kind, false)).rejects.toThrow(/"ann".*expected a hash by .*; found /);
      }
      const url = await start("-p", true);
      expect((await curl("-u", "ann:öpen sesame", url)).status).toBe(200);
      // A hash that is not known must not become the password itself.
      for (const kind of ["-d", "-2", "-5"]) await expect(start(kind, true)).rejects.toThrow(/"ann".*crypt\(3\)/);
    },
  );
});

requires("curl")("RFC 7617 §2 and §2.1: the examples, byte for byte", async () => {
  const users = { Aladdin: "open sesame", test: "123£" };
  const verify = (user: string, password: string): boolean =>
    Object.hasOwn(users, user) && users[user as "test"] === password;
  const url = await listen(guarded(basicAuth({ realm: "WallyWorld", verify })));
  for (const [credentials, user] of [
    ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"],
    ["dGVzdDoxMjPCow==", "test"],
  ]) {
    expect(await curl("-H", `Authorization: Basic ${credentials}`, url)).toMatchObject({ status: 200, user });
  }
  expect(await curl("-u", "test:123£", url)).toMatchObject({ status: 200, user: "test" });
  const { stdout } = await run("curl", ["-si", "--max-time", "10", url]);
  expect(stdout).toMatch(/^WWW-Authenticate: Basic realm="WallyWorld", charset="UTF-8"\r$/im);
});

requires("curl")(
  "RFC 7616: curl --digest with each algorithm, with a body, and one nonce for several requests",
  async () => {
    // Not SHA-512-256, of which curl before 8.7 computes another hash.
    for (const algorithm of ["MD5", "SHA-256"] as DigestAlgorithm[]) {
      const hashes = digestHashes("Mufasa", "http-auth@example.org", "Circle of Life");
      const layer = digestAuth({
        realm: "http-auth@example.org",
        users: { Mufasa: { hashes } },
        algorithms: [algorithm],
      });
      const url = await listen(guarded(layer));
      const as = (password: string, ...more: string[]) =>
        curl("--digest", "-u", `Mufasa:${password}`, ...more, `${url}/dir/index.html?a=b`);
      expect(await as("Circle of Life")).toMatchObject({ status: 200, user: "Mufasa" });
      expect(await as("Circle of Life", "-d", "body=1")).toMatchObject({ status: 200, user: "Mufasa" });
      expect((await as("circle of life")).status).toBe(401);
      const { stdout } = await run("curl", [
        "-s",
        "--max-time",
        "10",
        "--digest",
        "-u",
        "Mufasa:Circle of Life",
        "-w",
        "%{http_code} ",
        "-o",
        "/dev/null",
        "-o",
        "/dev/null",
        `${url}/1`,
        `${url}/2`,
      ]);
      expect(stdout).toBe("200 200 ");
    }
  },
);

requires("curl", "openssl")(
  "client certificates: those of the authority count, over HTTP/1.1 and HTTP/2, others do not",
  async () => {
    const authority = new CertificateAuthority();
    const server = authority.issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    const ann = authority.issue("ann", "/CN=ann");
    const stranger = new CertificateAuthority().issue("ann", "/CN=ann");
    const { certFile, keyFile } = server;
    const tls = { certFile, keyFile, clientCertificates: "optional", clientCaFile: authority.own.certFile } as const;
    const url = await listen(guarded(clientCertificate()), { tls });
    const as = (made: typeof ann | null, ...more: string[]) =>
      curl(
        "--cacert",
        authority.own.certFile,
        ...(made === null ? [] : ["--cert", made.certFile, "--key", made.keyFile]),
        ...more,
        url,
      );
    expect(await as(ann, "--http1.1")).toMatchObject({ status: 200, user: "ann" });
    expect(await as(ann, "--http2")).toMatchObject({ status: 200, user: "ann" });
    expect((await as(stranger)).status).toBe(403);
    expect((await as(null)).status).toBe(403);
    expect((await as(null, "-H", "SSL-Client-Verify: SUCCESS")).status).toBe(403);
  },
);

requires("curl")(
  "one gateway's login in front of another's apps: forward-auth, as programs and as browsers see it",
  async () => {
    const users = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
    const login = [session({ store: memoryStore() }), formLogin({ users }), requireUser()];
    const portal = await listen(
      gateway()
        .mount("/auth", authEndpoint(login))
        .mount("/nginx", authEndpoint(login, { style: "auth_request" }))
        .run(compose(login, who)),
      {
        trustedProxies: ["127.0.0.1"],
        forwardedFields: ["proto", "host", "method", "uri"].map((name) => `x-forwarded-${name}`),
      },
    );
    for (const endpoint of ["/auth", "/nginx"]) {
      const site = await listen(guarded(forwardAuth({ url: portal + endpoint, allowHttp: true })));
      expect((await curl(`${site}/report`)).status).toBe(401);
      const { stdout: head } = await run("curl", [
        "-si",
        "--max-time",
        "10",
        "-H",
        "Accept: text/html",
        `${site}/report?a=b`,
      ]);
      expect(head).toMatch(/^HTTP\/1.1 302 /);
      expect(head).toMatch(/^Location: \/login\?next=%2Freport%3Fa%3Db\r$/im);
      const jar = join(folderWith().path, "jar");
      await curl("-c", jar, "-d", "user=ann&password=myPassword", `${portal}/login`);
      expect(await curl("-b", jar, `${site}/report`)).toMatchObject({ status: 200, user: "ann" });
      expect((await curl("-b", jar, "-H", "Remote-User: root", `${site}/report`)).user).toBe("ann");
      expect((await curl("-H", "Remote-User: root", "-H", "X-Forwarded-Uri: /login", `${site}/report`)).status).toBe(
        401,
      );
    }
  },
);

describe("a user on the way through proxy() to the next gateway", () => {
  const users = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };

  requires("curl")("signed: the next one believes the signature, and nobody else's", async () => {
    const shared = {
      issuer: "front",
      audience: "back",
      keys: [{ id: "1", secret: "a secret of at least thirty-two bytes" }],
    };
    const back = await listen(guarded(gatewayIdentity(shared), requireUser()));
    const front = await listen(compose([basicAuth({ users }), signIdentity(shared)], proxy({ target: back })));
    const seen = await curl("-u", "ann:myPassword", "-H", "Gateway_Identity: forged", front);
    expect(seen).toMatchObject({ status: 200, user: "ann" });
    expect(seen.body).not.toMatch(/identity/i);
    expect((await curl("-u", "ann:myPassword", "-H", "Gateway-Identity: forged", front)).user).toBe("ann");
    expect((await curl("-H", "Gateway-Identity: a.b.c", back)).status).toBe(401);
    expect((await curl("-H", "Remote-User: ann", back)).status).toBe(401);
  });

  requires("curl")("R-H18: as a field, which counts from listed peers only", async () => {
    const identityFrom = { peers: ["127.0.0.1"], variables: { REMOTE_USER: "X-Remote-User" } };
    const back = await listen(guarded(remoteUser(), requireUser()), { identityFrom });
    const front = await listen(compose([basicAuth({ users })], proxy({ target: back, userHeader: "X-Remote-User" })));
    expect(await curl("-u", "ann:myPassword", "-H", "X-Remote-User: root", front)).toMatchObject({
      status: 200,
      user: "ann",
    });
    const elsewhere = await listen(guarded(remoteUser(), requireUser()), {
      identityFrom: { ...identityFrom, peers: ["10.0.0.1"] },
    });
    expect((await curl("-H", "X-Remote-User: ann", "-H", "X-Forwarded-For: 10.0.0.1", elsewhere)).status).toBe(401);
  });
});
