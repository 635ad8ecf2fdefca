// One request in a worker: its head and body go in, its answer comes out.
import type { HttpRequest, HttpResponse, RequestBody } from "@gw/core";
import { AnswerCall, type RequestEncoder } from "./answer-call.ts";
import { TO_PYTHON } from "./codec/frames.ts";
import { BodyFeed } from "./request-body.ts";

/** One request. */
export class HttpCall extends AnswerCall<HttpRequest, HttpResponse> {
  #feed: BodyFeed | null = null;
  #movedAt = 0;

  /** Sends the request. @param short its whole body; `null`: it is sent as the app asks for it */
  start(encoder: RequestEncoder<HttpRequest>, short: Uint8Array | null): void {
    const { request } = this;
    this.begin(TO_PYTHON.REQUEST, encoder.size, (marshal) =>
      encoder.write(marshal, request, short ?? NOTHING, short === null),
    );
    if (short === null && !this.isOver) this.#feed = this.#feedOf(request.body);
  }

  /** How long the worker has owed the head, milliseconds; 0 while it waits for the client's body. */
  overdueMs(now: number): number {
    if (!this.isHeadDue || this.#feed?.isWaiting === true) return 0;
    return now - Math.max(this.startedAt, this.#movedAt);
  }

  override credit(bytes: number): void {
    this.#feed?.credit(bytes);
  }

  protected override asAnswer(response: HttpResponse): HttpResponse {
    return response;
  }

  protected override finish(): void {
    super.finish();
    this.#feed?.end();
  }

  #feedOf(body: RequestBody): BodyFeed {
    return new BodyFeed(body, {
      link: this.link,
      id: this.id,
      failed: (error) => this.abandon(error),
      moved: () => {
        this.#movedAt = performance.now();
      },
    });
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
