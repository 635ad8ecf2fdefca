// Settings and operands → one app: the main app, its mounts, the layers around them.
import { dirname } from "node:path";
import { type App, type AppSource, type Gateway, gateway, type Middleware } from "@gw/core";
import { appFromValue, type Shape } from "./app-shape.ts";
import type { AppReference, Config } from "./config/config.ts";
import type { ConfigFile } from "./config/file.ts";
import type { EffectiveSettings } from "./config/settings.ts";
import { layerFromText } from "./layers.ts";
import { fileApp } from "./targets/file.ts";
import { buildTarget, TARGET_NAMES } from "./targets/kinds.ts";
import { parseTarget } from "./targets/target.ts";
import { UsageError } from "./usage-error.ts";

/** What names the app. */
export interface AppInputs {
  /** Folder the command was called in. */
  readonly folder: string;
  /** The app named on the command line, or `undefined`. */
  readonly operand: string | undefined;
  readonly settings: EffectiveSettings;
  readonly configFile: ConfigFile | null;
  /** Load modules past the cache, for a reload. */
  readonly fresh: boolean;
}

/**
 * Loads everything the inputs name. Starts nothing.
 *
 * @throws UsageError if nothing is named or a text cannot be read; StartError if something cannot be loaded
 */
export async function loadApp(inputs: AppInputs): Promise<App> {
  const { operand, settings, configFile } = inputs;
  const config: Config = configFile?.config ?? {};
  const mounts = { ...config.mounts, ...mountsFromFlags(settings.list("mount")) };
  const main: AppReference | undefined = operand ?? config.app;
  if (main === undefined && Object.keys(mounts).length === 0) throw new UsageError(nothingNamed(inputs));

  let builder: Gateway = gateway();
  for (const layer of config.use ?? []) builder = builder.use(await loadLayer(layer, folderOf(inputs, "config")));
  for (const text of settings.list("use")) builder = builder.use(await loadLayer(text, inputs.folder));
  for (const [where, reference] of Object.entries(mounts)) {
    const fromFile = config.mounts !== undefined && config.mounts[where] === reference;
    builder = builder.mount(
      where,
      await loadReference(reference, where, inputs, folderOf(inputs, fromFile ? "config" : "shell")),
    );
  }
  if (main !== undefined) {
    builder = builder.run(
      await loadReference(main, "app", inputs, folderOf(inputs, operand === undefined ? "config" : "shell")),
    );
  }
  return underRootPath(builder, settings.text("rootPath"));
}

function nothingNamed({ configFile }: AppInputs): string {
  return configFile === null
    ? "no app named and no gw.config.ts here; name one: gw serve ./app.ts (see gw --help)"
    : `${configFile.file} names no app: give it "app" or "mounts"`;
}

/** Names in a configuration file start from its folder, names on the command line from the current one. */
function folderOf({ folder, configFile }: AppInputs, source: "config" | "shell"): string {
  return source === "config" && configFile !== null ? dirname(configFile.file) : folder;
}

function mountsFromFlags(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      if (equals <= 0 || equals === text.length - 1) {
        throw new UsageError(`--mount: found ${JSON.stringify(text)}, expected /PREFIX=APP`);
      }
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

async function loadLayer(layer: Middleware | string, folder: string): Promise<Middleware> {
  return typeof layer === "string" ? layerFromText(layer, folder) : layer;
}

async function loadReference(
  reference: AppReference,
  name: string,
  { settings, fresh }: AppInputs,
  folder: string,
): Promise<AppSource> {
  const shape = (settings.text("interface") ?? "auto") as Shape | "auto";
  const lifespan = settings.text("lifespan") as "auto" | "on" | "off" | undefined;
  if (typeof reference !== "string") return appFromValue(reference, { shape, lifespan, name });
  const target = parseTarget(reference, TARGET_NAMES);
  return target.kind === "file" ? fileApp(target, { folder, shape, lifespan, fresh }) : buildTarget(target, folder);
}

/** Puts the path that a front proxy stripped before the mount of each request, as uvicorn's root_path does. */
function underRootPath(app: App, rootPath: string | undefined): App {
  if (rootPath === undefined || rootPath === "" || rootPath === "/") return app;
  const prefix = rootPath.replace(/\/+$/, "");
  if (!prefix.startsWith("/"))
    throw new UsageError(`--root-path: found ${JSON.stringify(rootPath)}, expected a path that starts with /`);
  return { ...app, handle: (request) => app.handle({ ...request, mount: prefix + request.mount }) };
}
