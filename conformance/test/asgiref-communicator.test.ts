// Our communicator next to asgiref's ApplicationCommunicator: the same apps in both languages, the same steps, the same outcomes.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type AsgiApp, type Communicator, communicator, type PartialScope, type ReceiveEvent } from "@gw/asgi";
import { isGatewayError } from "@gw/core";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { frameworksPython } from "./asgi-client.ts";

const script = join(import.meta.dirname, "../python/asgiref_communicator.py");
const upper = (bytes: Uint8Array): Uint8Array => Buffer.from(Buffer.from(bytes).toString().toUpperCase());

const apps: Readonly<Record<string, AsgiApp>> = {
  async echo(_scope, receive, send) {
    await send({ type: "http.response.start", status: 200, headers: [] });
    for (let more_body = true; more_body; ) {
      const event = await receive();
      if (event.type !== "http.request") throw new TypeError(event.type);
      more_body = event.more_body ?? false;
      await send({ type: "http.response.body", body: upper(event.body ?? new Uint8Array(0)), more_body });
    }
  },
  async raises(_scope, receive) {
    await receive();
    throw new Error("secret of the app");
  },
  silent: () => new Promise(() => {}),
  async returns(_scope, receive) {
    await receive();
  },
  async talks(scope, receive, send) {
    if (scope.type !== "websocket") throw new TypeError(scope.type);
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null });
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") return;
      await send({ type: "websocket.send", text: `${event.text}${scope.path}` });
    }
  },
  async lives(_scope, receive, send) {
    for (const name of ["startup", "shutdown"] as const) {
      if ((await receive()).type !== `lifespan.${name}`) throw new TypeError(name);
      await send({ type: `lifespan.${name}.complete` });
    }
  },
};

type Step = readonly ["send", Readonly<Record<string, unknown>>] | readonly ["receive" | "nothing" | "wait"];
interface Scenario {
  readonly about: string;
  readonly app: string;
  readonly scope: PartialScope;
  readonly steps: readonly Step[];
}

const part = (body: string, more_body: boolean): Step => ["send", { type: "http.request", body, more_body }];
const http: PartialScope = { type: "http" };
const scenarios: readonly Scenario[] = [
  {
    about: "a body in parts, each answered",
    app: "echo",
    scope: http,
    steps: [
      ["receive"],
      ["nothing"],
      part("a", true),
      ["receive"],
      ["nothing"],
      part("b", false),
      ["receive"],
      ["wait"],
    ],
  },
  {
    about: "an app that is done, and more input",
    app: "echo",
    scope: http,
    steps: [part("a", false), ["receive"], ["receive"], ["wait"], part("b", false), ["nothing"]],
  },
  { about: "an app that raises", app: "raises", scope: http, steps: [["nothing"], part("", false), ["receive"]] },
  { about: "an app that raises, waited for", app: "raises", scope: http, steps: [part("", false), ["wait"]] },
  {
    about: "an app that has raised, asked and told again",
    app: "raises",
    scope: http,
    steps: [part("", false), ["receive"], part("", false), ["nothing"]],
  },
  { about: "an app that says nothing", app: "silent", scope: http, steps: [["nothing"], ["receive"]] },
  // Not here: `wait` on an app that never returns. asgiref ends it and says nothing; ours ends it and throws.
  { about: "an app that returns without a word", app: "returns", scope: http, steps: [part("", false), ["wait"]] },
  {
    about: "a socket from connect to disconnect",
    app: "talks",
    scope: { type: "websocket", path: "/chat", subprotocols: ["v1"] },
    steps: [
      ["send", { type: "websocket.connect" }],
      ["receive"],
      ["send", { type: "websocket.receive", text: "hello " }],
      ["receive"],
      ["nothing"],
      ["send", { type: "websocket.disconnect", code: 1000, reason: "" }],
      ["wait"],
    ],
  },
  {
    about: "a lifespan",
    app: "lives",
    scope: { type: "lifespan" },
    steps: [
      ["send", { type: "lifespan.startup" }],
      ["receive"],
      ["nothing"],
      ["send", { type: "lifespan.shutdown" }],
      ["receive"],
      ["wait"],
    ],
  },
];

async function step(call: Communicator, [verb, event]: Step): Promise<unknown> {
  try {
    if (verb === "send") {
      const { body, ...rest } = event;
      await call.sendInput({ ...rest, ...(body !== undefined && { body: Buffer.from(String(body)) }) } as ReceiveEvent);
      return "sent";
    }
    if (verb === "receive") return told(await call.receiveOutput(100));
    if (verb === "nothing") return await call.receiveNothing(50);
    await call.wait(100);
    return "returned";
  } catch (error) {
    return isGatewayError(error, "GW_ASGI_NO_OUTPUT") ? "timeout" : `raised: ${(error as Error).message}`;
  }
}

const told = (event: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    ]),
  );

requires(frameworksPython)("does at every step what asgiref's ApplicationCommunicator does", async () => {
  const answer = execFileSync(frameworksPython, [script], { input: JSON.stringify(scenarios) });
  const theirs: unknown[][] = JSON.parse(answer.toString());
  for (const [index, { about, app, scope, steps }] of scenarios.entries()) {
    const call = communicator(apps[app] as AsgiApp, scope);
    const ours: unknown[] = [];
    for (const one of steps) ours.push(await step(call, one));
    call.stop();
    expect(ours, about).toEqual(theirs[index]);
  }
});
