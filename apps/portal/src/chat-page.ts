// The chat's page. A WebSocket needs a script; without one the page says so.
import { escapeHtml, page } from "./page.ts";

/** HTML of the chat for a user. */
export function chatPage(user: string): string {
  return page({
    title: "Chat",
    user,
    body: `<p class="tag">ASGI · TypeScript · WebSocket</p>
<h1>Chat</h1>
<p class="lead">Hello, ${escapeHtml(user)}. An async app: <code>(scope, receive, send)</code>. The login guarded the WebSocket's handshake, too.</p>
<noscript><p class="note">This page needs JavaScript for its WebSocket.</p></noscript>
<ul class="entries" id="log" aria-live="polite"></ul>
<form class="stack" id="form">
<label for="text">Message</label>
<input type="text" id="text" autocomplete="off" maxlength="500" required>
<div><button disabled>Send</button></div>
</form>
<script>${SCRIPT}</script>`,
  });
}

const SCRIPT = `
const log = document.getElementById("log"), form = document.getElementById("form"), field = document.getElementById("text");
const button = form.querySelector("button");
function show(from, text) {
  const item = document.createElement("li"), name = document.createElement("small");
  name.textContent = from; item.append(name, text); log.append(item); item.scrollIntoView({ block: "nearest" });
}
function connect() {
  const socket = new WebSocket(location.href.replace(/^http/, "ws"));
  socket.onopen = () => { button.disabled = false; };
  socket.onmessage = (event) => { const { from, text } = JSON.parse(event.data); show(from, text); };
  socket.onclose = () => { button.disabled = true; show("room", "connection lost, trying again"); setTimeout(connect, 2000); };
  form.onsubmit = (event) => { event.preventDefault(); socket.send(field.value); field.value = ""; };
}
connect();
`;
