// Any FastCGI program as an app: started, scaled, watched and replaced by us.
import type { App } from "@gw/core";
import { refuseSocket } from "../client/fastcgi.ts";
import type { FastcgiPoolOptions } from "./options.ts";
import { ProcessPool } from "./process-pool.ts";

/**
 * Runs a FastCGI program and sends it every request under the mount: SCRIPT_NAME is the mount, PATH_INFO what follows it.
 *
 * Each process gets a listening socket of its own as descriptor 0 (FCGI_LISTENSOCK_FILENO, FastCGI 1.0 §2.2).
 * docs/fastcgi/pools.md has the rules.
 *
 * @throws FastcgiError `GW_FCGI_OPTION` for options that cannot work
 */
export function fastcgiPool(options: FastcgiPoolOptions): App {
  const pool = new ProcessPool(options);
  const { min = 1, max = Math.max(4, min) } = options;
  return {
    handle(request) {
      refuseSocket(request);
      return pool.answer(request);
    },
    start: (context) => pool.start(context),
    stop: (deadline) => pool.stop(deadline),
    reload: () => pool.roll(),
    describe: () => ({ kind: "fastcgi-pool", name: pool.name, facts: { min, max } }),
    status: () => pool.status(),
  };
}
