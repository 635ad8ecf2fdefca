// The status page: rendered here, kept up to date by events, readable without a script. Pure.
import { createHash } from "node:crypto";
import type { Status } from "@gw/core";
import { bars, sparkline } from "./charts.ts";
import type { BackendStatus, GatewayStatus, LoggedError, WorkerStatus } from "./control.ts";
import type { StatusView, TrafficView } from "./status-history.ts";
import { statusStyle } from "./status-style.ts";

const script = `const live=document.getElementById("live");new EventSource("/events").onmessage=(event)=>{live.innerHTML=event.data}`;

/** Only our own style and script run on the page. */
export const statusPolicy: string = [
  "default-src 'none'",
  `style-src '${hashOf(statusStyle)}'`,
  `script-src '${hashOf(script)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** The whole page. */
export function statusPage(view: StatusView): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>gw status</title>
<style>${statusStyle}</style>
<main id="live">${statusBody(view)}</main>
<script>${script}</script>
</html>
`;
}

/** What changes, as one line: an event's data. */
export function statusBody({ status, traffic }: StatusView): string {
  const [all, ...mounts] = traffic as [TrafficView, ...TrafficView[]];
  const parts = [
    header(status),
    cards(status, all),
    section("Mounts", mountsTable(status, mounts)),
    section("Workers", workersTable(status.workers)),
    section("Backends", backendsTable(status.backends)),
    section("Recent warnings and errors", errorsTable(status.errors)),
  ];
  return parts.join("").replaceAll("\n", "");
}

function header({ version, pid, startedAt, addresses, isReady }: GatewayStatus): string {
  const state = isReady ? stateText("ready") : stateText("starting", "not ready");
  return `<header><h1>gw</h1>${state}<span class="soft">${escapeHtml(version)} · process ${pid} · up ${durationText(Date.now() - startedAt)}</span>
<span class="soft">${addresses.map((one) => `<code>${escapeHtml(one)}</code>`).join(" ")}</span></header>`;
}

function cards({ workers }: GatewayStatus, all: TrafficView): string {
  const rate = all.rates.at(-1) ?? 0;
  const inFlight = workers.reduce((sum, one) => sum + one.inFlight, 0);
  const memory = workers.reduce((sum, one) => sum + one.rssBytes, 0);
  const buckets = all.buckets.map(({ le, count }) => ({
    title: le === Infinity ? "more" : `up to ${secondsText(le)}`,
    count,
  }));
  return `<div class="cards">
<div class="card"><b>${numberText(rate)}/s</b><span class="soft">requests, last two minutes</span>${sparkline(all.rates, "requests per second")}</div>
<div class="card"><b>${all.p50 === null ? "–" : `≤ ${secondsText(all.p50)}`}</b><span class="soft">half of all; 99 % ${all.p99 === null ? "–" : `≤ ${secondsText(all.p99)}`}</span>${bars(buckets, "requests by duration")}</div>
<div class="card"><b>${numberText(all.requests)}</b><span class="soft">requests so far, ${numberText(all.failed)} failed (5xx), ${numberText(inFlight)} under way</span></div>
<div class="card"><b>${bytesText(memory)}</b><span class="soft">memory of ${workers.length} ${workers.length === 1 ? "process" : "workers"}</span></div>
</div>`;
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2><div class="wide">${content}</div></section>`;
}

function mountsTable({ drained, status }: GatewayStatus, mounts: readonly TrafficView[]): string {
  if (mounts.length === 0) return `<p class="empty">No mount has been asked yet.</p>`;
  const rows = mounts.map(({ where, rates, requests, failed, p50, p99 }) => {
    const place = where ?? "";
    const found = statusAt(status, place);
    const state = drained.includes(place) ? stateText("drained") : stateText(found?.state ?? "ready");
    return `<tr><td><code>${escapeHtml(place)}</code></td><td>${state}</td><td>${sparkline(rates, `requests per second to ${escapeHtml(place)}`)}</td>
<td class="n">${numberText(rates.at(-1) ?? 0)}/s</td><td class="n">${found === null ? "–" : numberText(queuedIn(found))}</td><td class="n">${numberText(requests)}</td><td class="n">${numberText(failed)}</td>
<td class="n">${p50 === null ? "–" : `≤ ${secondsText(p50)}`}</td><td class="n">${p99 === null ? "–" : `≤ ${secondsText(p99)}`}</td></tr>`;
  });
  return table(
    ["Mount", "State", "Last two minutes", "n:Now", "n:Waiting", "n:Requests", "n:5xx", "n:Half", "n:99 %"],
    rows,
  );
}

/** The status of a mount, wherever in the pipeline it is; of an app alone that of all. */
function statusAt(status: Status | null, place: string): Status | null {
  if (status === null) return null;
  if (status.name === place) return status;
  for (const child of status.children ?? []) {
    const found = statusAt(child, place);
    if (found !== null) return found;
  }
  return null;
}

/** Requests that wait for a program, a process or a thread of it. */
function queuedIn({ facts = {}, children = [] }: Status): number {
  return Number(facts.queued ?? 0) + children.reduce((sum, child) => sum + queuedIn(child), 0);
}

function workersTable(workers: readonly WorkerStatus[]): string {
  const rows = workers.map(
    ({ pid, state, startedAt, generation, rssBytes, requests, inFlight, loopDelayMs }) =>
      `<tr><td>${pid}</td><td>${stateText(state)}</td><td>${durationText(Date.now() - startedAt)}</td><td class="n">${generation}</td>
<td class="n">${numberText(requests)}</td><td class="n">${inFlight}</td><td class="n">${bytesText(rssBytes)}</td><td class="n">${loopDelayMs} ms</td></tr>`,
  );
  return table(
    ["Process", "State", "Up", "n:Generation", "n:Requests", "n:Under way", "n:Memory", "n:Loop delay"],
    rows,
  );
}

function backendsTable(backends: readonly BackendStatus[]): string {
  if (backends.length === 0) return `<p class="empty">No programs run beside the gateway.</p>`;
  const rows = backends.map(
    ({ name, state, processes, error }) =>
      `<tr><td>${escapeHtml(name)}</td><td>${stateText(state)}</td><td>${processes.map(({ pid }) => pid).join(" ")}</td>
<td class="message error">${escapeHtml(error ?? "")}</td></tr>`,
  );
  return table(["Backend", "State", "Processes", "Last error"], rows);
}

function errorsTable(errors: readonly LoggedError[]): string {
  if (errors.length === 0) return `<p class="empty">None.</p>`;
  const rows = errors.map(
    ({ at, level, message, pid }) =>
      `<tr><td><time>${new Date(at).toISOString().slice(11, 19)}</time></td><td class="${level}">${level}</td><td>${pid}</td><td class="message">${escapeHtml(message)}</td></tr>`,
  );
  return table(["Time (UTC)", "Level", "Process", "Message"], rows);
}

/** @param heads a column that holds numbers starts with `n:` */
function table(heads: readonly string[], rows: readonly string[]): string {
  const cells = heads.map((head) =>
    head.startsWith("n:") ? `<th class="n">${head.slice(2)}</th>` : `<th>${head}</th>`,
  );
  return `<table><tr>${cells.join("")}</tr>${rows.join("")}</table>`;
}

function stateText(state: string, words: string = state): string {
  return `<span class="state ${state}">${words}</span>`;
}

function durationText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3_600);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

function secondsText(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return "∞";
  return seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : `${seconds} s`;
}

function bytesText(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}

function numberText(value: number): string {
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
