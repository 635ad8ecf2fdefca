// `gw explain METHOD URL`: why a request goes where it goes. Loads the apps, starts and asks none.
import { describeApp, encodePath, parseAuthority, parseTarget, pathText, splitMount, toBytes } from "@gw/core";
import { loadApp } from "../app/load-app.ts";
import { explainRoutes, routesOf, type Verdict } from "../app/routes.ts";
import type { Invocation } from "../invocation.ts";
import { UsageError } from "../usage-error.ts";
import { placeText } from "./routes.ts";

/** Prints how the request is read and which place has it; exit code 1 if nothing takes it. */
export async function run({ folder, operands, settings, configFile, stdout }: Invocation): Promise<number> {
  const [method = "", url = "", operand] = operands;
  const { target, host, scheme } = readUrl(url);
  const { path, query } = parseTarget(target, method.toUpperCase());
  const app = await loadApp({ folder, operand, settings, configFile });
  const request = { path, server: parseAuthority(host, scheme) };
  const verdicts = explainRoutes(routesOf(describeApp(app)), request);
  const chosen = verdicts.find(({ why }) => why === "takes it");
  const lines = [
    `target  ${target}`,
    `path    ${pathText({ path })}${encodePath(path) === target.split("?")[0] ? "" : " (decoded, dots and double slashes resolved)"}`,
    ...(query === "" ? [] : [`query   ${query}`]),
    `host    ${request.server.host}`,
    ...verdicts.map(verdictLine),
    ...outcome(chosen, path),
  ];
  stdout.write(`${lines.join("\n")}\n`);
  return chosen === undefined ? 1 : 0;
}

function readUrl(url: string): { target: string; host: string; scheme: "http" | "https" } {
  const absolute = /^(https?):\/\/([^/?#]+)([^#]*)$/.exec(url);
  if (absolute !== null) {
    const [, scheme, host = "", rest = ""] = absolute;
    return { target: rest.startsWith("/") ? rest : `/${rest}`, host, scheme: scheme as "http" | "https" };
  }
  if (url.startsWith("/")) return { target: url, host: "localhost", scheme: "http" };
  throw new UsageError(`explain: found ${JSON.stringify(url)}, expected a path (/app/x) or a URL (http://host/app/x)`);
}

function verdictLine({ route, why }: Verdict): string {
  return `${why === "takes it" ? "→" : " "} ${placeText(route)}: ${why}`;
}

function outcome(chosen: Verdict | undefined, path: string): readonly string[] {
  if (chosen === undefined) return ["nothing takes it: 404"];
  const { place, app, layers } = chosen.route;
  const mount = place?.includes("/") ? place.slice(place.indexOf("/")).replace(/\/+$/, "") : "";
  const inside = splitMount(path, toBytes(mount)) ?? path;
  return [
    ...(layers.length === 0 ? [] : [`passes  ${layers.join(" → ")}`]),
    `app     ${app}`,
    `gets    mount ${JSON.stringify(mount)}, path ${JSON.stringify(pathText({ path: inside }))}`,
  ];
}
