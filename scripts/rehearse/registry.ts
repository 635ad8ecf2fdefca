// A package registry on 127.0.0.1 that holds only what is published into it, in memory.
// Third-party packages do not pass through it: npm asks it for one scope, and its usual registry for the rest.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What `npm publish` sends: one version and its tarball. */
interface Publication {
  readonly name: string;
  readonly "dist-tags": Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, PublishedVersion>>;
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

interface PublishedVersion {
  readonly name: string;
  readonly version: string;
  readonly dist: { readonly integrity: string; readonly tarball: string };
}

/** What `npm install` reads: every version of one package. */
interface Packument {
  readonly name: string;
  readonly "dist-tags": Record<string, string>;
  readonly versions: Record<string, PublishedVersion>;
}

/** A running registry. */
export interface Registry {
  /** `http://127.0.0.1:<port>/` */
  readonly url: string;
  /** `name@version` of everything published, in order. */
  readonly published: readonly string[];
  close(): Promise<void>;
}

/** Starts an empty registry on a free port. */
export async function startRegistry(): Promise<Registry> {
  const store = new Store();
  const server = createServer((request, response) => {
    answer(store, request, response).catch((error: unknown) => reply(response, 500, { error: String(error) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  store.url = `http://127.0.0.1:${port}/`;
  return {
    url: store.url,
    published: store.published,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

class Store {
  url = "";
  readonly published: string[] = [];
  readonly packuments: Map<string, Packument> = new Map();
  readonly tarballs: Map<string, Buffer> = new Map();

  /** Takes one publication whole, or says why not. */
  add({ name, versions, _attachments, ...rest }: Publication): string | null {
    const [version] = Object.values(versions);
    const [attachment] = Object.values(_attachments);
    if (version === undefined || attachment === undefined) return "expected one version and one tarball";
    const packument = this.packuments.get(name) ?? { name, "dist-tags": {}, versions: {} };
    if (packument.versions[version.version]) return `${name}@${version.version} is published already`;
    const tarball = Buffer.from(attachment.data, "base64");
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    if (integrity !== version.dist.integrity) return `expected a tarball with integrity ${version.dist.integrity}`;
    const path = `${name}/-/${name.split("/").at(-1)}-${version.version}.tgz`;
    packument.versions[version.version] = { ...version, dist: { ...version.dist, tarball: this.url + path } };
    Object.assign(packument["dist-tags"], rest["dist-tags"]);
    this.packuments.set(name, packument);
    this.tarballs.set(path, tarball);
    this.published.push(`${name}@${version.version}`);
    return null;
  }
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? "/", store.url).pathname.slice(1));
  if (request.method === "PUT") {
    const refusal = store.add(JSON.parse(await read(request)) as Publication);
    return refusal === null ? reply(response, 201, { ok: true }) : reply(response, 409, { error: refusal });
  }
  const tarball = store.tarballs.get(path);
  if (tarball !== undefined) {
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(tarball);
    return;
  }
  const packument = store.packuments.get(path);
  return packument ? reply(response, 200, packument) : reply(response, 404, { error: `no package ${path}` });
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
