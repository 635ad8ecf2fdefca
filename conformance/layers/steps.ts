// Requests of a row that come before its last one: a challenge, a login, whatever begins what the last one shows.
import type { HeaderList, MaybePromise } from "@gw/core";
import type { ClientRequest } from "@gw/testing";
import type { WholeAnswer } from "./cgi-rules.ts";
import type { LayerRow } from "./row.ts";

/** A request that comes before a row's last one. A socket's app is asked for a page here, as browsers log in by pages. */
export interface Step {
  readonly request?: Omit<ClientRequest, "target">;
  /** Below the row's mount. @default "/" */
  readonly target?: string;
  readonly status: number;
  /**
   * What follows from its answer: fields that every later request carries (in place of earlier ones of their names), and the target
   * and body of the next one. `place`: the row's mount.
   *
   * @default nothing new
   */
  readonly next?: (answer: WholeAnswer, place: string) => MaybePromise<Partial<ClientRequest>>;
}

/** A request with everything that it takes from the steps before it. */
export type LastRequest = ClientRequest & Required<Pick<ClientRequest, "target" | "headers">>;

/** Sends one request, and gives its answer. */
export type Send = (request: ClientRequest) => Promise<WholeAnswer>;

/** Sends a row's earlier requests, one after the other, and gives its last one. Throws if one is not answered as it must be. */
export async function lastRequest(
  { before = [], ...last }: Pick<LayerRow, "before" | "request" | "target">,
  place: string,
  send: Send,
): Promise<LastRequest> {
  let carried: Partial<ClientRequest> = {};
  const whole = ({ request = {}, target = "/" }: Pick<LayerRow, "request" | "target">): LastRequest => ({
    ...request,
    ...carried,
    headers: [...(request.headers ?? []), ...(carried.headers ?? [])],
    target: place + (carried.target ?? target),
  });
  for (const step of before) {
    const request = whole(step);
    const answer = await send(request);
    const isReached = step.status === 200 && answer.status === 426; // by an app that wants a socket
    if (answer.status !== step.status && !isReached)
      throw new Error(`${request.target}: ${answer.status} in place of ${step.status}: ${answer.text}`);
    const { headers = [], ...more } = (await step.next?.(answer, place)) ?? {};
    const kept = (carried.headers ?? []).filter(([name]) => headers.every((one) => one[0] !== name));
    carried = { ...more, headers: [...kept, ...headers] };
  }
  return whole(last);
}

/** What a browser sends back of an answer's cookies. */
export function cookiesIn(headers: HeaderList): (readonly [name: string, value: string])[] {
  const pairs = headers.getAll("set-cookie").map((line) => line.split(";", 1)[0] as string);
  return pairs.length === 0 ? [] : [["Cookie", pairs.join("; ")]];
}
