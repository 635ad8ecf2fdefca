// The status page: rendered here, kept up to date by events, readable without a script. Pure.
import { createHash } from "node:crypto";
import { bars, sparkline } from "./charts.ts";
import type { StatusView, TrafficView } from "./status-history.ts";
import { statusStyle } from "./status-style.ts";
import { backendsTable, errorsTable, mountsTable, workersTable } from "./status-tables.ts";
import { boundText, bytesText, durationText, escapeHtml, numberText, secondsText, stateText } from "./status-text.ts";

/** New numbers do not move what somebody has scrolled to or chosen; when none come, the page says so. */
const script = `const live=document.getElementById("live"),events=new EventSource("/events"),parts=(root)=>[...root.querySelectorAll("header,.cards,.wide")];
events.onmessage=(event)=>{const next=document.createElement("template");next.innerHTML=event.data;const fresh=parts(next.content);parts(live).forEach((part,at)=>{if(part.innerHTML!==fresh[at].innerHTML)part.innerHTML=fresh[at].innerHTML});document.body.className=""};
events.onerror=()=>{document.body.className="lost"}`;

/** The last bound of `gw_http_wait_seconds`. */
const LONGEST_WAIT_SECONDS = 60;

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
<body>
<p class="lost-note" role="status">The gateway does not answer; these are its last numbers.</p>
<main id="live">${statusBody(view)}</main>
<script>${script}</script>
</html>
`;
}

/** What changes, as one line: an event's data. */
export function statusBody(view: StatusView): string {
  const { status, traffic, backends } = view;
  const byPlace = new Map(traffic.flatMap((one) => (one.where === null ? [] : [[one.where, one] as const])));
  const parts = [
    header(view),
    cards(view),
    section("Mounts", mountsTable(status.mounts, byPlace), "wide mounts"),
    section("Workers", workersTable(status.workers)),
    section("Backends", backendsTable(status.backends, backends)),
    section("Recent warnings and errors", errorsTable(status.errors), "wide log"),
  ];
  return parts.join("").replaceAll("\n", "");
}

function header({ status: { version, pid, startedAt, addresses, isReady } }: StatusView): string {
  const state = isReady ? stateText("ready") : stateText("starting", "not ready");
  const facts = `${escapeHtml(version)} · process ${pid} · up ${durationText(Date.now() - startedAt)}`;
  const where = addresses.map((one) => `<code>${escapeHtml(one)}</code>`).join(" ");
  return `<header><h1>gw</h1>${state}<span class="soft">${facts}</span><span class="soft">${where}</span></header>`;
}

function cards({ status: { workers, mounts }, traffic }: StatusView): string {
  const all = traffic[0] as TrafficView;
  const inFlight = mounts.reduce((sum, { numbers }) => sum + (numbers?.inFlight ?? 0), 0);
  const memory = workers.reduce((sum, one) => sum + one.rssBytes, 0);
  const processes = `${workers.length} ${workers.length === 1 ? "process" : "workers"}`;
  const waited =
    all.waited99 === null ? "nobody so far" : `99 % of waits ${boundText(all.waited99, LONGEST_WAIT_SECONDS)}`;
  const worst = workers.reduce((most, one) => Math.max(most, one.loopDelayMs), 0);
  return `<div class="cards">${[
    card(`${numberText(all.rates.at(-1) ?? 0)}/s`, `requests; ${numberText(all.requests)} so far`, rateChart(all)),
    card(bound(all, all.p50), `half of all; 99 % ${bound(all, all.p99)}`, durationChart(all)),
    card(numberText(all.waits.at(-1) ?? 0), `waiting; ${waited}`, sparkline(all.waits, "requests waiting")),
    card(
      numberText(inFlight),
      `under way; ${numberText(all.failed)} failed so far (5xx)`,
      `<p class="soft">${bytesText(memory)} in ${processes}, loop delay ${worst} ms at most</p>`,
    ),
  ].join("")}</div>`;
}

function card(figure: string, words: string, below: string): string {
  return `<div class="card"><b>${figure}</b><span class="soft">${words}</span>${below}</div>`;
}

function bound({ buckets }: TrafficView, seconds: number | null): string {
  return boundText(seconds, buckets.at(-2)?.le ?? 0);
}

function rateChart({ rates }: TrafficView): string {
  return sparkline(rates, "requests per second, last two minutes");
}

function durationChart({ buckets }: TrafficView): string {
  const titled = buckets.map(({ le, count }) => ({
    title: le === Number.POSITIVE_INFINITY ? "more" : `up to ${secondsText(le)}`,
    count,
  }));
  return bars(titled, "requests by duration");
}

function section(title: string, content: string, kind = "wide"): string {
  return `<section><h2>${title}</h2><div class="${kind}" role="region" aria-label="${title}" tabindex="0">${content}</div></section>`;
}
