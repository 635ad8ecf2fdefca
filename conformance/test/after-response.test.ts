// Work after the answer, over real sockets: the client is not kept waiting, the gateway waits at its end.
import { type AsgiApp, fromAsgi } from "@gw/asgi";
import { type AppSource, afterResponse, text } from "@gw/core";
import { type RunningServer, serve } from "@gw/http";
import { type ListeningContext, listeningContext } from "@gw-private/listening-context";
import { afterEach, expect, test } from "vitest";

let server: RunningServer | null = null;
afterEach(() => server?.close());

async function listen(app: AppSource): Promise<RunningServer & Pick<ListeningContext, "errors">> {
  const { context, errors } = listeningContext();
  server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, context });
  await server.ready;
  return { ...server, errors };
}

/** A promise and the key to it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test("sync and async tasks run after the answer; close() waits for them; what they throw is logged, and no more", async () => {
  const [held, done] = [gate(), [] as string[]];
  const { url, close, errors } = await listen((request) => {
    afterResponse(request, ({ status, bytesSent }) => void done.push(`sync ${status} ${bytesSent}`));
    afterResponse(request, () => {
      throw new Error("sync failure");
    });
    afterResponse(request, async () => {
      await held.opened;
      done.push("async");
      throw new Error("async failure");
    });
    return text("hello");
  });
  expect(await (await fetch(url)).text()).toBe("hello"); // while the async task still waits
  expect(done).toEqual(["sync 200 5"]);
  let isClosed = false;
  const closing = close().then(() => {
    isClosed = true;
  });
  await expect(fetch(url)).rejects.toThrow();
  expect(isClosed).toBe(false);
  held.open();
  await closing;
  expect(done).toEqual(["sync 200 5", "async"]);
  expect(errors).toEqual(["sync failure", "async failure"]);
});

test("an ASGI app may go on after its last event; close() waits for that, too", async () => {
  const [held, done] = [gate(), [] as string[]];
  const app: AsgiApp = async (scope, _receive, send) => {
    if (scope.type !== "http") throw new TypeError("http only");
    await send({ type: "http.response.start", status: 200, headers: [] });
    await send({ type: "http.response.body", body: Buffer.from("hello") });
    await held.opened;
    done.push("worked");
    throw new Error("too late for the client");
  };
  const { url, close, errors } = await listen(fromAsgi(app));
  expect(await (await fetch(url)).text()).toBe("hello");
  const closing = close();
  await expect(fetch(url)).rejects.toThrow();
  expect(done).toEqual([]);
  held.open();
  await closing;
  expect(done).toEqual(["worked"]);
  expect(errors).toContain("too late for the client"); // beside what it says to a lifespan
});

test("a task runs also for a client that has left", async () => {
  const done: string[] = [];
  const { url } = await listen((request) => {
    afterResponse(request, ({ result }) => void done.push(result));
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(65_536);
    };
    return { ...text(""), body: endless() };
  });
  const stop = new AbortController();
  const answer = await fetch(url, { signal: stop.signal });
  stop.abort();
  await answer.body?.cancel().catch(() => {});
  await expect.poll(() => done).toEqual(["gone"]);
});
