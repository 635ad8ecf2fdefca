// Settings and operands → one app: the main app, its mounts, the layers around them.
import { dirname, resolve } from "node:path";
import {
  type App,
  type AppSource,
  type Gateway,
  gateway,
  isGatewayError,
  type Middleware,
  type MountOptions,
  toApp,
} from "@gw/core";
import { isMountReference } from "../config/check.ts";
import type { AppReference, Config, MountReference } from "../config/config.ts";
import type { ConfigFile } from "../config/file.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import { fileApp } from "../targets/file.ts";
import { buildTarget, TARGET_NAMES } from "../targets/kinds.ts";
import { parseTarget } from "../targets/target.ts";
import type { CommandDefaults } from "../targets/target-kind.ts";
import { UsageError } from "../usage-error.ts";
import { appFromValue, type Shape, type ShapeOptions } from "./app-shape.ts";
import { type ConcurrencyLimit, limitedBy, mountLimit } from "./concurrency-limit.ts";

/** Threads for a WSGI-shaped app where many requests come: it must not block those of others (R-W9). */
export const DEFAULT_THREADS = 1;

/** What names the app. */
export interface AppInputs {
  /** Folder the command was called in. */
  readonly folder: string;
  /** The app named on the command line, or `undefined`. */
  readonly operand: string | undefined;
  readonly settings: EffectiveSettings;
  readonly configFile: ConfigFile | null;
  /** Threads for WSGI-shaped apps of which nothing else is said. @default 0: the main thread, for a single request */
  readonly threads?: number;
  /** Load modules past the cache, for a reload. @default false */
  readonly fresh?: boolean;
  /** Whether a change of a file is to be noticed. @default false */
  readonly isWatching?: boolean;
  /** What the layers alone make up: nothing else is asked, and an app on the command line is refused. @default there is an app */
  readonly ofLayers?: (layers: readonly Middleware[]) => AppSource;
}

/**
 * Loads everything the inputs name. Starts nothing.
 *
 * @throws UsageError if nothing is named or a text cannot be read; StartError if something cannot be loaded
 */
export async function loadApp(inputs: AppInputs): Promise<App> {
  const { operand, settings, configFile, folder } = inputs;
  if (inputs.ofLayers !== undefined) return appOfLayers(inputs, inputs.ofLayers);
  const config: Config = configFile?.config ?? {};
  const fileFolder = configFile === null ? folder : dirname(configFile.file);
  const main: Named | null =
    operand !== undefined
      ? { name: "app", reference: operand, folder }
      : config.app !== undefined
        ? { name: "app", reference: config.app, folder: fileFolder }
        : null;
  const mounts = [...mountsFromFlags(settings.list("mount"), folder), ...mountsFromFile(config, fileFolder)];
  if (main === null && mounts.length === 0) throw new UsageError(nothingNamed(inputs));
  const layers = await layersOf(inputs, fileFolder);
  const app = main === null ? null : await loadReference(main, inputs, { isMain: true, isAlone: mounts.length === 0 });
  const rootPath = settings.text("rootPath");
  // An app alone answers itself: one step less for each request.
  if (app !== null && layers.length === 0 && mounts.length === 0) return underRootPath(toApp(app), rootPath);
  let builder = gateway().use(...layers);
  for (const { where, options, limit, ...named } of withoutRepeats(mounts)) {
    const inside = await limitedBy(limit, await loadReference(named, inputs));
    builder = mounted(builder, where, { app: inside, options });
  }
  return underRootPath(app === null ? builder : builder.run(app), rootPath);
}

/** Nobody may pass because of an app that happens to be here: the layers decide. */
async function appOfLayers(inputs: AppInputs, ofLayers: NonNullable<AppInputs["ofLayers"]>): Promise<App> {
  const { operand, settings, configFile, folder } = inputs;
  const [found] = [...(operand === undefined ? [] : [operand]), ...settings.list("mount")];
  if (found !== undefined) throw new UsageError(`found ${JSON.stringify(found)}: the layers decide, without an app`);
  return toApp(ofLayers(await layersOf(inputs, configFile === null ? folder : dirname(configFile.file))));
}

/** Those of the file stand around those of the flags. */
async function layersOf({ settings, configFile, folder }: AppInputs, fileFolder: string): Promise<Middleware[]> {
  const inFile = await loadLayers(configFile?.config.use ?? [], fileFolder);
  return [...inFile, ...(await loadLayers(settings.list("use"), folder))];
}

/** Of several mounts at one place the first: flags stand before the file. */
function withoutRepeats(mounts: readonly NamedMount[]): readonly NamedMount[] {
  return mounts.filter(({ where }, at) => mounts.findIndex((other) => other.where === where) === at);
}

function nothingNamed({ configFile }: AppInputs): string {
  return configFile === null
    ? "no app named and no gw.config.ts here; name one: gw ./app.ts (see gw --help)"
    : `${configFile.file} names no app: give it "app" or "mounts"`;
}

/** A reference, what to call it in errors, and the folder its relative paths start from. */
interface Named {
  readonly name: string;
  readonly reference: AppReference;
  readonly folder: string;
}

interface NamedMount extends Named {
  readonly where: string;
  readonly options: MountOptions;
  readonly limit: ConcurrencyLimit | null;
}

function mountsFromFlags(texts: readonly string[], folder: string): NamedMount[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals <= 0 || equals === text.length - 1)
      throw new UsageError(`--mount: found ${JSON.stringify(text)}, expected WHERE=APP, such as /admin=./admin.ts`);
    const where = text.slice(0, equals);
    return { where, name: `--mount ${where}`, reference: text.slice(equals + 1), folder, options: {}, limit: null };
  });
}

function mountsFromFile({ mounts = {} }: Config, folder: string): NamedMount[] {
  return Object.entries(mounts).map(([where, value]) => {
    const given: MountReference = isMountReference(value) ? value : { app: value };
    const { app, accessLog: _, limitConcurrency, limitQueue, queueTimeout, ...options } = given;
    const limit = mountLimit(where, { limitConcurrency, limitQueue, queueTimeout });
    return { where, name: `mounts[${JSON.stringify(where)}]`, reference: app, folder, options, limit };
  });
}

function mounted(builder: Gateway, where: string, { app, options }: { app: AppSource; options: object }): Gateway {
  try {
    return builder.mount(where, app, options);
  } catch (error) {
    if (isGatewayError(error, "GW_PLACE") || isGatewayError(error, "GW_MOUNT_TWICE"))
      throw new UsageError(`mount ${JSON.stringify(where)}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function loadLayers(layers: readonly (Middleware | string)[], folder: string): Promise<Middleware[]> {
  if (layers.length === 0) return [];
  const { layerFromText } = await import("./layers.ts");
  return Promise.all(layers.map((layer) => (typeof layer === "string" ? layerFromText(layer, folder) : layer)));
}

/** `--interface` and `--lifespan` are about the main app; a mount says its own: `./app.ts?interface=wsgi`. */
async function loadReference(
  { name, reference, folder }: Named,
  inputs: AppInputs,
  { isMain = false, isAlone = false }: { isMain?: boolean; isAlone?: boolean } = {},
): Promise<AppSource> {
  const { settings, fresh = false } = inputs;
  const threads = settings.number("threads") ?? inputs.threads ?? 0;
  const shape = ((isMain ? settings.text("interface") : undefined) ?? "auto") as Shape | "auto";
  const lifespan = (isMain ? settings.text("lifespan") : undefined) as ShapeOptions["lifespan"];
  if (typeof reference !== "string") return appFromValue(reference, { shape, lifespan, name });
  const target = parseTarget(reference, TARGET_NAMES);
  return target.kind === "file"
    ? fileApp(target, { folder, shape, lifespan, fresh, threads, isAlone })
    : buildTarget(target, folder, defaultsOf(inputs));
}

/** Flags that stand for an option of several kinds of target. */
function defaultsOf({ settings, folder, isWatching = false }: AppInputs): CommandDefaults {
  const python = settings.text("python");
  const threads = settings.number("threads");
  return {
    // A name is looked for on PATH; a path starts where the command was called.
    ...(python !== undefined && { python: /[/\\]/.test(python) ? resolve(folder, python) : python }),
    ...(threads !== undefined && threads > 0 && { threads }),
    ...(isWatching && { reload: true }),
  };
}

/** Puts the path that a front proxy took off before the mount of each request, as uvicorn's root_path does. */
function underRootPath(app: App, rootPath: string | undefined): App {
  if (rootPath === undefined) return app;
  const prefix = Buffer.from(rootPath.replace(/\/+$/, "")).toString("latin1"); // a mount is bytes
  if (prefix === "") return app;
  if (!prefix.startsWith("/"))
    throw new UsageError(`--root-path: found ${JSON.stringify(rootPath)}, expected a path that starts with /`);
  return { ...app, handle: (request) => app.handle({ ...request, mount: prefix + request.mount }) };
}
