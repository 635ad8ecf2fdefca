// Clients that ask one request after the other, without a pause, until told to end; and what came of it.

/** One client. */
export interface Client {
  /** How it talks, for the tally: "http/1.1 kept". */
  readonly kind: string;
  /** One request, checked. Throws what is wrong with the answer; `Gone` if nobody listens any more. */
  ask(): Promise<Asked>;
  close(): void;
}

/** A request that was answered well. */
export interface Asked {
  readonly path: string;
  /** A message on a socket that stands: no request of its own. @default false */
  readonly isMessage?: boolean;
  readonly came?: Came | undefined;
}

/** What else came of a request that was answered well. */
export type Came =
  /** A kept connection closed before it had taken the request, which went out again on a new one (RFC 9110 §9.2.2). */
  | "again"
  /** The server announced that it goes: 1012, GOAWAY. */
  | "announced";

/** An answer that is not right, or none. */
export class Wrong extends Error {
  readonly path: string;
  /** "502", "ECONNRESET". */
  readonly what: string;

  constructor(path: string, what: string, more = "") {
    super([path, what, more].filter((word) => word !== "").join(" "));
    this.path = path;
    this.what = what;
  }
}

/** A request that went wrong, for those who know whether it may. Times are those of `performance.now`. */
export interface Failure {
  readonly error: Wrong;
  readonly from: number;
  readonly to: number;
}

/** Nobody listens any more, and nothing was asked: no failure of a request. */
export class Gone extends Error {}

/** What came of all requests. */
export class Tally {
  /** Requests; messages on sockets are not among them. */
  requests = 0;
  messages = 0;
  readonly kinds = new Map<string, { asked: number; again: number; announced: number }>();
  /** Requests by the mount they went to. */
  readonly mounts = new Map<string, number>();
  /** Why, and how often. */
  readonly wrong = new Map<string, number>();
  /** The same of what was to be expected. */
  readonly excused = new Map<string, number>();

  count(kind: string, { path, isMessage = false, came }: Asked): void {
    if (isMessage) this.messages++;
    else this.#request(path);
    const of = this.#of(kind);
    of.asked++;
    if (came !== undefined) of[came]++;
  }

  fail(kind: string, error: unknown, isExcused: boolean): void {
    this.#request(error instanceof Wrong ? error.path : "");
    this.#of(kind).asked++;
    const why = `${kind}: ${error instanceof Error ? error.message : String(error)}`;
    const counts = isExcused ? this.excused : this.wrong;
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }

  get failed(): number {
    return [...this.wrong.values()].reduce((sum, one) => sum + one, 0);
  }

  #request(path: string): void {
    this.requests++;
    const [, first = ""] = path.split("/");
    this.mounts.set(`/${first}`, (this.mounts.get(`/${first}`) ?? 0) + 1);
  }

  #of(kind: string) {
    let of = this.kinds.get(kind);
    if (of === undefined) {
      of = { asked: 0, again: 0, announced: 0 };
      this.kinds.set(kind, of);
    }
    return of;
  }
}

/** Clients at work. */
export interface Load {
  readonly tally: Tally;
  /** Settles when so many requests have been answered (without messages), or every client has ended. */
  until(requests: number): Promise<void>;
  /** Lets each finish its request. */
  end(): Promise<void>;
}

/** Sets the clients to work. @param isExcused whether a failure is to be expected */
export function load(clients: readonly Client[], isExcused: (failure: Failure) => boolean = () => false): Load {
  const tally = new Tally();
  let isOver = false;
  const work = async (client: Client): Promise<void> => {
    while (!isOver) {
      const from = performance.now();
      try {
        tally.count(client.kind, await client.ask());
      } catch (error) {
        if (error instanceof Gone) break;
        tally.fail(client.kind, error, error instanceof Wrong && isExcused({ error, from, to: performance.now() }));
        await new Promise((done) => setTimeout(done, 5)); // what fails at once must not spin
      }
    }
    client.close();
  };
  let isIdle = false;
  const all = Promise.all(clients.map(work)).then(() => {
    isIdle = true;
  });
  return {
    tally,
    async until(requests) {
      while (tally.requests < requests && !isIdle) await new Promise((done) => setTimeout(done, 20));
    },
    async end() {
      isOver = true;
      await all;
    },
  };
}

/** Prints what came of a whole run (GW_SOAK is set). */
export function report(title: string, tally: Tally, facts: object = {}): void {
  if (process.env.GW_SOAK === undefined) return;
  const { requests, messages, failed } = tally;
  const lists = {
    kinds: Object.fromEntries(tally.kinds),
    mounts: Object.fromEntries(tally.mounts),
    excused: Object.fromEntries(tally.excused),
    wrong: Object.fromEntries(tally.wrong),
  };
  console.log(`${title} ${JSON.stringify({ requests, messages, failed, ...facts, ...lists }, null, 1)}`);
}
