// Mounts that an operator has taken out of service for a while: their requests are answered 503.
import { findPlace, GatewayError, layer, type Middleware } from "@gw/core";

const RETRY_AFTER_SECONDS = 30;

/** The mounts that get no requests. */
export class DrainedMounts {
  readonly #drained = new Set<string>();
  #find: ReturnType<typeof findPlace> | null = null;
  #places: readonly string[] = [];

  /** Answers 503 for them. Costs nothing while there are none. */
  readonly layer: Middleware = layer({
    name: "drainedMounts",
    onRequest: (request) => {
      const place = this.#find === null ? null : this.#find(request);
      if (place === null || !this.#drained.has(place)) return request;
      throw new GatewayError("GW_DRAINED", 503, `${place} is out of service for a while`, {
        headers: [["Retry-After", String(RETRY_AFTER_SECONDS)]],
      });
    },
  });

  /** Those that are drained. */
  get list(): readonly string[] {
    return [...this.#drained];
  }

  /** Every mount of the app that serves now. */
  get places(): readonly string[] {
    return this.#places;
  }

  /** The mounts of the app that serves now; what is drained stays so. */
  use(places: readonly string[]): void {
    this.#places = places;
    this.#update();
  }

  /** @returns whether there is such a mount */
  set(place: string, isDrained: boolean): boolean {
    if (!this.#places.includes(place)) return false;
    if (isDrained) this.#drained.add(place);
    else this.#drained.delete(place);
    this.#update();
    return true;
  }

  #update(): void {
    // All places, not only the drained ones: of two mounts within one another only one may be drained.
    this.#find = this.#drained.size === 0 ? null : findPlace(this.#places);
  }
}
