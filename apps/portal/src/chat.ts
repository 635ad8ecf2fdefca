// An async app in ASGI's shape: (scope, receive, send). One room; messages go to everybody who is in it.
import type { AsgiApp, HttpScope, Receive, Send, WebSocketScope } from "@gw/asgi";
import { chatPage } from "./chat-page.ts";

interface Member {
  readonly user: string;
  readonly send: Send;
}

const MAX_TEXT = 500;

/** Makes a chat room. */
export function chat(): AsgiApp {
  const members = new Set<Member>();
  return async (scope, receive, send) => {
    if (scope.type === "http") return showPage(scope, send);
    if (scope.type === "websocket") return converse(members, scope, receive, send);
    throw new Error(`no support for ${scope.type} scopes`); // how an ASGI app says that it has no lifespan
  };
}

function userOf(scope: HttpScope | WebSocketScope): string {
  return scope.extensions?.["gw.principal"]?.user ?? "nobody";
}

async function showPage(scope: HttpScope, send: Send): Promise<void> {
  const found = scope.path === `${scope.root_path}/`;
  const body = new TextEncoder().encode(found ? chatPage(userOf(scope)) : "404 Not Found\n");
  const type = found ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  await send({
    type: "http.response.start",
    status: found ? 200 : 404,
    headers: [[latin1("content-type"), latin1(type)]],
  });
  await send({ type: "http.response.body", body });
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

async function converse(members: Set<Member>, scope: WebSocketScope, receive: Receive, send: Send): Promise<void> {
  await receive(); // websocket.connect
  await send({ type: "websocket.accept" });
  const member: Member = { user: userOf(scope), send };
  members.add(member);
  try {
    await tellAll(members, { from: "room", text: `${member.user} is here (${members.size} in the room)` });
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      if (event.type === "websocket.receive" && typeof event.text === "string" && event.text.trim() !== "") {
        await tellAll(members, { from: member.user, text: event.text.slice(0, MAX_TEXT) });
      }
    }
  } finally {
    members.delete(member);
    await tellAll(members, { from: "room", text: `${member.user} has left` });
  }
}

async function tellAll(members: ReadonlySet<Member>, message: { from: string; text: string }): Promise<void> {
  const text = JSON.stringify(message);
  // A member whose socket is gone is removed by its own conversation.
  await Promise.allSettled([...members].map(({ send }) => send({ type: "websocket.send", text })));
}
