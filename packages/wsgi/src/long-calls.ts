// Apps that are called where everybody waits for them: the first long call is told of, with what to do about it.
import type { HttpRequest, HttpResponse } from "@gw/core";

/** A call that is longer keeps others waiting noticeably, milliseconds. */
const LONG_MS = 100;

/** Makes calls of one app, and tells of the first long one (R-W9). */
export class LongCalls {
  readonly #name: string;
  #hasTold = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** What `call` gives or throws. */
  watch(request: HttpRequest, call: (request: HttpRequest) => HttpResponse): HttpResponse {
    if (this.#hasTold) return call(request);
    const began = performance.now();
    try {
      return call(request);
    } finally {
      const ms = performance.now() - began;
      if (ms > LONG_MS) this.#tell(request, Math.round(ms));
    }
  }

  #tell({ exchange, method, mount, path }: HttpRequest, ms: number): void {
    this.#hasTold = true;
    exchange.log.warn(
      { app: this.#name, mount, method, path, ms },
      `a WSGI app held the main thread for ${ms} ms, and everybody waited: run it on threads, with wsgiThreads(file) or --threads 1`,
    );
  }
}
