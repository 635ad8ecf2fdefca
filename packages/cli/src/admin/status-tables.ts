// The tables of the status page: mounts, workers, backends, warnings and errors. Pure.
import { sparkline } from "./charts.ts";
import type { BackendStatus, RecentError, WorkerStatus } from "./control.ts";
import type { MountStatus } from "./mount-status.ts";
import type { BackendView, TrafficView } from "./status-history.ts";
import { boundText, bytesText, durationText, escapeHtml, numberText, secondsText, stateText } from "./status-text.ts";

/** Every mount, asked for or not. @param traffic by place */
export function mountsTable(mounts: readonly MountStatus[], traffic: ReadonlyMap<string, TrafficView>): string {
  if (mounts.length === 0) return empty("No worker has said yet what it serves.");
  const heads = ["Mount", "State", "Last two minutes", "n:Now", "n:Under way", "n:Waiting", "n:Requests", "n:5xx"];
  return table(
    [...heads, "n:Half", "n:99 %"],
    mounts.map((mount) => mountRow(mount, traffic.get(mount.where))),
  );
}

function mountRow(
  { where, app, state, error, isDrained, numbers }: MountStatus,
  view: TrafficView | undefined,
): string {
  const place = escapeHtml(where);
  const { rates = [], p50 = null, p99 = null, buckets = [] } = view ?? {};
  const last = buckets.at(-2)?.le ?? 0;
  const note = error === null ? "" : `<span class="why error">${escapeHtml(error)}</span>`;
  return row(
    `<td><code class="place">${place}</code><span class="why soft">${escapeHtml(app)}</span></td>`,
    `<td>${isDrained ? stateText("drained") : stateText(state)}${note}</td>`,
    `<td>${sparkline(rates, `requests per second to ${place}`)}</td>`,
    number(numbers === null ? "–" : `${numberText(rates.at(-1) ?? 0)}/s`),
    number(counted(numbers?.inFlight)),
    number(counted(numbers?.waiting), (numbers?.waiting ?? 0) > 0 ? "warn" : ""),
    number(counted(numbers?.requests)),
    number(counted(numbers?.failed), (numbers?.failed ?? 0) > 0 ? "error" : ""),
    number(boundText(p50, last)),
    number(boundText(p99, last)),
  );
}

/** The processes that serve. */
export function workersTable(workers: readonly WorkerStatus[]): string {
  const rows = workers.map(({ pid, state, startedAt, generation, rssBytes, requests, inFlight, loopDelayMs }) => {
    const isNew = rssBytes === 0; // nothing heard of it yet
    return row(
      `<td>${pid}</td><td>${stateText(state)}</td><td>${durationText(Date.now() - startedAt)}</td>`,
      ...(isNew ? ["–", "–", "–", "–", "–"] : [generation, numberText(requests), inFlight]).map((one) => number(one)),
      ...(isNew
        ? []
        : [number(bytesText(rssBytes)), number(`${loopDelayMs} ms`, loopDelayMs >= SLOW_MS ? "warn" : "")]),
    );
  });
  const heads = ["Process", "State", "Up", "n:Generation", "n:Requests", "n:Under way", "n:Memory", "n:Loop delay"];
  return table(heads, rows);
}

/** A loop that stands still so long is felt by those who wait. */
const SLOW_MS = 200;

/** The programs beside the gateway. @param views by name */
export function backendsTable(backends: readonly BackendStatus[], views: ReadonlyMap<string, BackendView>): string {
  if (backends.length === 0) return empty("No programs run beside the gateway.");
  const rows = backends.map(({ name, state, processes, error }) => {
    const { wanted = processes.length, restarts = 0, startSeconds = null } = views.get(name) ?? {};
    const ready = processes.filter((one) => one.state === "ready").length;
    return row(
      `<td class="name">${escapeHtml(name)}<span class="why soft">${pidsText(processes)}</span></td>`,
      `<td>${stateText(state)}</td>`,
      number(`${ready} of ${wanted}`),
      number(numberText(restarts), restarts > 0 ? "warn" : ""),
      number(startSeconds === null ? "–" : secondsText(startSeconds)),
      `<td class="message error">${escapeHtml(error ?? "")}</td>`,
    );
  });
  return table(["Backend", "State", "n:Ready", "n:Restarts", "n:Start", "Last error"], rows);
}

const MOST_PIDS = 8;

function pidsText(processes: BackendStatus["processes"]): string {
  if (processes.length === 0) return "no process";
  const shown = processes.slice(0, MOST_PIDS).map(({ pid }) => pid);
  const rest = processes.length - shown.length;
  const words = processes.length === 1 ? "process" : "processes";
  return `${words} ${shown.join(" ")}${rest === 0 ? "" : ` and ${rest} more`}`;
}

/** What was logged, the latest first. */
export function errorsTable(errors: readonly RecentError[]): string {
  if (errors.length === 0) return empty("None.");
  const rows = errors.map(({ at, level, message, pid, times }) =>
    row(
      `<td><time datetime="${new Date(at).toISOString()}">${new Date(at).toISOString().slice(11, 19)}</time></td>`,
      `<td class="${level}">${level}</td><td>${pid}</td><td class="message">${escapeHtml(message)}${timesText(times)}</td>`,
    ),
  );
  return table(["Time (UTC)", "Level", "Process", "Message"], rows);
}

function timesText(times: number): string {
  return times === 1 ? "" : ` <span class="times">${numberText(times)} times</span>`;
}

function counted(value: number | undefined): string {
  return value === undefined ? "–" : numberText(value);
}

function number(text: string | number, kind = ""): string {
  return `<td class="${kind === "" ? "n" : `n ${kind}`}">${text}</td>`;
}

function row(...cells: readonly string[]): string {
  return `<tr>${cells.join("")}</tr>`;
}

function empty(words: string): string {
  return `<p class="empty">${words}</p>`;
}

/** @param heads a column that holds numbers starts with `n:` */
function table(heads: readonly string[], rows: readonly string[]): string {
  const cells = heads.map((head) =>
    head.startsWith("n:") ? `<th scope="col" class="n">${head.slice(2)}</th>` : `<th scope="col">${head}</th>`,
  );
  return `<table><thead><tr>${cells.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
