// Clients that ask one request after the other, without a pause, until told to end; and what came of it.

/** One client. */
export interface Client {
  /** How it talks, for the tally: "http/1.1 kept". */
  readonly kind: string;
  /** One request, checked. Throws what is wrong with the answer; `Gone` if nobody listens any more. */
  ask(): Promise<Came | undefined>;
  close(): void;
}

/** What else came of a request that was answered well. */
export type Came =
  /** A kept connection closed before it had taken the request, which went out again on a new one (RFC 9110 §9.2.2). */
  | "again"
  /** The server announced that it goes: 1012, GOAWAY. */
  | "announced";

/** Nobody listens any more, and nothing was asked: no failure of a request. */
export class Gone extends Error {}

/** What came of all requests. */
export class Tally {
  asked = 0;
  readonly kinds = new Map<string, { asked: number; again: number; announced: number }>();
  /** Why, and how often. */
  readonly wrong = new Map<string, number>();

  count(kind: string, came: Came | undefined): void {
    this.asked++;
    const of = this.#of(kind);
    of.asked++;
    if (came !== undefined) of[came]++;
  }

  fail(kind: string, error: unknown): void {
    this.asked++;
    this.#of(kind).asked++;
    const why = `${kind}: ${error instanceof Error ? error.message : String(error)}`;
    this.wrong.set(why, (this.wrong.get(why) ?? 0) + 1);
  }

  get failed(): number {
    return [...this.wrong.values()].reduce((sum, one) => sum + one, 0);
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
  /** Settles when so many requests have been answered, or every client has ended. */
  until(requests: number): Promise<void>;
  /** Lets each finish its request. */
  end(): Promise<void>;
}

/** Sets the clients to work. */
export function load(clients: readonly Client[]): Load {
  const tally = new Tally();
  let isOver = false;
  const work = async (client: Client): Promise<void> => {
    while (!isOver) {
      try {
        tally.count(client.kind, await client.ask());
      } catch (error) {
        if (error instanceof Gone) break;
        tally.fail(client.kind, error);
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
      while (tally.asked < requests && !isIdle) await new Promise((done) => setTimeout(done, 20));
    },
    async end() {
      isOver = true;
      await all;
    },
  };
}
