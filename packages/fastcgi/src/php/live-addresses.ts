// Where the processes of a PHP of ours listen, without those that turned out to be dead before anybody told us.
import type { Address, Backend } from "@gw/core";
import type { ClientWatcher } from "../client/watcher.ts";

/** Tells a client where to send requests: what waits for PHP to be back is not lost in the moment after its death. */
export class LiveAddresses implements ClientWatcher {
  readonly #use: (addresses: readonly Address[]) => void;
  readonly #dead: Set<string> = new Set();
  #backend: Backend | null = null;

  constructor(use: (addresses: readonly Address[]) => void) {
    this.#use = use;
  }

  /** Follows the addresses of a backend from now on. */
  follow(backend: Backend): void {
    this.#backend = backend;
    backend.onChange(() => this.#tell(backend));
    this.#tell(backend);
  }

  /** A socket lives as long as its process, so who refuses a connection is dead. */
  unreachable(address: Address): boolean {
    const backend = this.#backend;
    if (backend === null || !("path" in address)) return false;
    if (this.#dead.has(address.path) || !backend.addresses.includes(address.path)) return false;
    this.#dead.add(address.path);
    this.#tell(backend);
    return true;
  }

  asked(): void {}

  ended(): void {}

  #tell({ addresses }: Backend): void {
    for (const path of this.#dead) if (!addresses.includes(path)) this.#dead.delete(path);
    this.#use(addresses.filter((path) => !this.#dead.has(path)).map((path) => ({ path })));
  }
}
