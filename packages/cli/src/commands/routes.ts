// `gw routes`: which app answers where. Loads the apps, starts none.
import { describeApp } from "@gw/core";
import { loadApp } from "../app/load-app.ts";
import { type Route, routesOf } from "../app/routes.ts";
import type { Invocation } from "../invocation.ts";

/** Prints a line for each place, the most precise first; exit code 0. */
export async function run({ folder, operands, settings, configFile, stdout }: Invocation): Promise<number> {
  const app = await loadApp({ folder, operand: operands[0], settings, configFile });
  const routes = routesOf(describeApp(app));
  stdout.write((settings.isOn("json") ?? false) ? `${JSON.stringify(routes, null, 2)}\n` : routeLines(routes).join(""));
  return 0;
}

function routeLines(routes: readonly Route[]): string[] {
  const width = Math.max(...routes.map((route) => placeText(route).length));
  return routes.map((route) => {
    const layers = route.layers.length === 0 ? "" : `  behind ${route.layers.join(", ")}`;
    return `${placeText(route).padEnd(width)}  ${route.app}${layers}\n`;
  });
}

/** A place for people. */
export function placeText({ place }: Route): string {
  return place ?? "(all else)";
}
