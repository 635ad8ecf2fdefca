// An app, or a bare handler, as an app.
import type { App, AppSource } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";

/**
 * The app itself, or a handler as an app without a life.
 *
 * @throws GatewayError `GW_NOT_AN_APP` for anything else.
 */
export function toApp(source: AppSource): App {
  if (typeof source === "function") return { handle: source };
  if (typeof (source as Partial<App> | null)?.handle === "function") return source;
  throw new GatewayError(
    "GW_NOT_AN_APP",
    500,
    `expected an App ({ handle }) or a handler (request) => answer, found ${describeValue(source)}`,
  );
}

function describeValue(value: unknown): string {
  if (value === null || typeof value !== "object") return `${typeof value} ${String(value)}`;
  const keys = Object.keys(value);
  return `an object with ${keys.length === 0 ? "no keys" : `the keys ${keys.slice(0, 8).join(", ")}`}`;
}
