// A scripted backend: says what a test tells it to, at the level of records.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ApplicationConnection, type ApplicationEvent } from "../src/codec/application.ts";
import { RecordType, writeEndRequest, writeRecord } from "../src/codec/index.ts";

/** A connection of the client, as the script sees it. */
export interface Visit {
  readonly socket: Socket;
  /** How many came before it. */
  readonly number: number;
  /** Events of the client, in order. */
  readonly events: ApplicationEvent[];
  /** What was read of the request's input. */
  readonly input: Buffer[];
  /** Writes output of request 1. */
  output(text: string): void;
  /** Ends request 1. */
  end(): void;
}

/** What the script does with an event. */
export type Script = (event: ApplicationEvent, visit: Visit) => void;

/** Starts a backend on a unix socket; `at`: where another one was. */
export async function fakeBackend(script: Script, onConnect: (visit: Visit) => void = () => {}, at?: string) {
  const folder = at === undefined ? await mkdtemp(join(tmpdir(), "gw-fake-")) : dirname(at);
  await mkdir(folder, { recursive: true });
  const path = at ?? join(folder, "socket");
  const visits: Visit[] = [];
  const server = createServer((socket) => {
    const machine = new ApplicationConnection();
    const visit: Visit = {
      socket,
      number: visits.length,
      events: [],
      input: [],
      output: (text) => socket.write(writeRecord(RecordType.stdout, 1, Buffer.from(text, "latin1"))),
      end: () => socket.write(writeEndRequest(1, 0, "complete")),
    };
    visits.push(visit);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const event of machine.feed(chunk)) {
        visit.events.push(event);
        if (event.kind === "input") visit.input.push(Buffer.from(event.bytes));
        script(event, visit);
        if (event.kind === "inputEnd") machine.finish(event.id);
      }
    });
    onConnect(visit);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    address: `unix:${path}`,
    path,
    visits,
    async close() {
      for (const { socket } of visits) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
