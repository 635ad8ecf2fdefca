// Which kind of app an exported value is. The only place that looks at parameter counts; libraries never sniff.
import { type AppSource, fromFetch, type Handler } from "@gw/core";
import { StartError } from "../usage-error.ts";

/** The shapes `--interface` names. */
export type Shape = "app" | "handler" | "fetch" | "wsgi" | "asgi";

/** How to adapt a value to an app. */
export interface ShapeOptions {
  /** What `--interface` says. */
  shape: Shape | "auto";
  /** What `--lifespan` says. */
  lifespan?: "auto" | "on" | "off" | undefined;
  /** How the user named the value, for errors. */
  name: string;
}

/**
 * The value as an app.
 *
 * @throws StartError naming what was found and what is allowed
 */
export async function appFromValue(
  value: unknown,
  { shape, lifespan = "auto", name }: ShapeOptions,
): Promise<AppSource> {
  const actual = shape === "auto" ? detectShape(value, name) : shape;
  requireShape(value, actual, name);
  switch (actual) {
    case "app":
      return value as AppSource;
    case "handler":
      return { handle: value as Handler, describe: () => ({ kind: "handler", name }) };
    case "fetch":
      return { ...fromFetch(value as Parameters<typeof fromFetch>[0]), describe: () => ({ kind: "fetch", name }) };
    case "wsgi": {
      const { fromWsgi } = await import("@gw/wsgi/from-wsgi");
      return fromWsgi(value as Parameters<typeof fromWsgi>[0]);
    }
    case "asgi": {
      const { fromAsgi } = await import("@gw/asgi");
      return fromAsgi(value as Parameters<typeof fromAsgi>[0], { lifespan });
    }
  }
}

const ALLOWED =
  "an App ({ handle }), an object with fetch(request), or a function: (request), (environ, startResponse) or (scope, receive, send)";

/** The shape of a value, by its members or by its parameter count. */
export function detectShape(value: unknown, name: string): Shape {
  if (typeof value === "function") return shapeOfFunction(value as FunctionLike, name);
  if (typeof value === "object" && value !== null) {
    if (typeof (value as { handle?: unknown }).handle === "function") return "app";
    if (typeof (value as { fetch?: unknown }).fetch === "function") return "fetch";
  }
  throw new StartError(`${name}: found ${typeName(value)}, expected ${ALLOWED}`);
}

type FunctionLike = ((...args: unknown[]) => unknown) & { fetch?: unknown; handle?: unknown; listen?: unknown };

function shapeOfFunction(fn: FunctionLike, name: string): Shape {
  if (typeof fn.handle === "function" && typeof fn.listen === "function") {
    throw new StartError(`${name}: found an Express-style app; export fromNodeHandler(app) of @gw/http instead`);
  }
  if (typeof fn.fetch === "function") return "fetch";
  if (/^class\b/.test(sourceOf(fn))) throw new StartError(`${name}: found a class, expected ${ALLOWED}`);
  const shape = hasOptionalParameters(fn) ? undefined : ([undefined, "handler", "wsgi", "asgi"] as const)[fn.length];
  if (shape !== undefined) return shape;
  throw new StartError(
    `${name}: cannot tell the shape of ${describeFunction(fn)}; say which with --interface handler|fetch|wsgi|asgi`,
  );
}

function describeFunction(fn: FunctionLike): string {
  if (hasOptionalParameters(fn)) return "a function with rest or default parameters";
  return `a function with ${fn.length} parameter${fn.length === 1 ? "" : "s"}`;
}

/** The function's text without comments, which may hold any character. */
function sourceOf(fn: FunctionLike): string {
  return Function.prototype.toString.call(fn).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
}

/** Whether the parameter list has a default or a rest, which `length` does not count. */
function hasOptionalParameters(fn: FunctionLike): boolean {
  const source = sourceOf(fn);
  if (source.includes("[native code]")) return false;
  const open = source.indexOf("(");
  const arrow = source.indexOf("=>");
  if (open < 0 || (arrow >= 0 && arrow < open)) return false; // `request => …`
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    const char = source[at] as string;
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && --depth === 0) return false;
    else if (depth === 1 && (char === "=" || source.startsWith("...", at))) return true;
  }
  return false;
}

function requireShape(value: unknown, shape: Shape, name: string): void {
  const holder = value as { handle?: unknown; fetch?: unknown } | null | undefined;
  const fits =
    shape === "app"
      ? typeof holder?.handle === "function"
      : typeof value === "function" || (shape === "fetch" && typeof holder?.fetch === "function");
  if (!fits) throw new StartError(`${name}: found ${typeName(value)}, which is no ${shape} app; expected ${ALLOWED}`);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const keys = Object.keys(value);
  return keys.length === 0 ? "an empty object" : `an object with the keys ${keys.slice(0, 6).join(", ")}`;
}
