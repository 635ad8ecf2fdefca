// One server of the thread benchmark, in a process of its own: prints its port.
import { join } from "node:path";
import { type AppSource, HeaderList } from "@gw/core";
import { serve } from "@gw/http";
import { fromWsgi, type WsgiApp, wsgiThreads } from "@gw/wsgi";

const folder = join(import.meta.dirname, "thread-apps");
const [kind = "", threads = "1"] = process.argv.slice(2);

const apps: Record<string, () => Promise<AppSource>> = {
  main: async () => fromWsgi(((await import(join(folder, "hello.mjs"))) as { default: WsgiApp }).default),
  gw: async () => wsgiThreads(join(folder, "hello.mjs"), { threads: Number(threads) }),
  piscina: async () => {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({
      filename: join(folder, "piscina-task.mjs"),
      minThreads: Number(threads),
      maxThreads: Number(threads),
    });
    return async ({ method, path, query, headers }) => {
      const answer = await pool.run({ method, path, query, headers: headers.toFlat() });
      return {
        kind: "response",
        status: answer.status,
        headers: HeaderList.fromWire(answer.headers),
        body: answer.body,
      };
    };
  },
};

const app = apps[kind];
if (app === undefined) throw new Error(`no server ${JSON.stringify(kind)}; there are ${Object.keys(apps).join(", ")}`);
const server = serve(await app(), { bind: "127.0.0.1:0" });
await server.ready;
console.log(new URL(server.url).port);
