// A sync app in WSGI's shape: (environ, startResponse) → iterable of bytes. A worker thread runs it; entries stay in a file.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, threadId } from "node:worker_threads";
import type { WsgiApp } from "@gw/wsgi";
import { dataFolder } from "./data-folder.ts";
import { escapeHtml, page } from "./page.ts";

interface Entry {
  readonly user: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}

const MAX_TEXT = 500;
const SHOWN = 50;

const file = join(dataFolder, "guestbook.jsonl");

/** The guestbook. Its entries are kept one JSON line each. */
const guestbook: WsgiApp = (environ, startResponse) => {
  const user = utf8(environ.REMOTE_USER ?? "nobody");
  if (environ.REQUEST_METHOD === "POST") {
    const form = new URLSearchParams(Buffer.from(environ["wsgi.input"].read()).toString());
    const text = (form.get("text") ?? "").trim().slice(0, MAX_TEXT);
    if (text !== "") appendFileSync(file, `${JSON.stringify({ user, text, at: new Date().toISOString() })}\n`);
    startResponse("303 See Other", [["Location", `${environ.SCRIPT_NAME}/`]]);
    return [];
  }
  startResponse("200 OK", [["Content-Type", "text/html; charset=utf-8"]]);
  return [Buffer.from(page({ title: "Guestbook", user, body: body(user, readEntries()) }))];
};

export default guestbook;

/** WSGI's strings are bytes (PEP 3333, "Unicode Issues"); names of users are UTF-8. */
function utf8(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}

function readEntries(): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines
    .slice(-SHOWN)
    .map((line) => JSON.parse(line) as Entry)
    .reverse();
}

function body(user: string, entries: readonly Entry[]): string {
  return `<p class="tag">WSGI · TypeScript · ${isMainThread ? "main thread" : `thread ${threadId}`}</p>
<h1>Guestbook</h1>
<p class="lead">Hello, ${escapeHtml(user)}. A sync app: <code>(environ, startResponse)</code>, literally PEP 3333, in a thread of its own: while it
reads and writes its file, nobody else waits.</p>
<form class="stack" method="post">
<label for="text">Your entry</label>
<textarea id="text" name="text" rows="3" maxlength="${MAX_TEXT}" required></textarea>
<div><button>Sign the book</button></div>
</form>
<ul class="entries">${entries.map(entry).join("\n") || "<li>No entries yet. Write the first.</li>"}</ul>`;
}

function entry({ user, text, at }: Entry): string {
  return `<li><small>${escapeHtml(user)} · ${escapeHtml(at.slice(0, 16).replace("T", " "))} UTC</small>${escapeHtml(text)}</li>`;
}
