// The access log around everything, and those that mounts have of their own.
import { dirname, resolve } from "node:path";
import { findPlace, type GatewayRequest, type Middleware } from "@gw/core";
import type { AccessLogOptions } from "@gw/middleware/access-log";
import { isMountReference } from "../config/check.ts";
import type { MountReference } from "../config/config.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import type { Invocation } from "../invocation.ts";

/** An access log that a mount of the configuration file has for itself. */
interface OwnLog {
  readonly where: string;
  readonly accessLog: NonNullable<MountReference["accessLog"]>;
}

/**
 * The layers that write access logs, outermost: what a layer refuses on the way to a mount is in the mount's log, too.
 *
 * A request is in one log: that of the mount it goes to, if the mount has one, else that of the gateway.
 */
export async function accessLogs(
  invocation: Pick<Invocation, "settings" | "configFile" | "folder">,
): Promise<Middleware[]> {
  const { settings, configFile, folder } = invocation;
  const own = ownLogs(invocation);
  const isOn = settings.isOn("accessLog") ?? true;
  if (!isOn && own.length === 0) return [];
  const { accessLog } = await import("@gw/middleware/access-log");
  const general = generalOptions(settings);
  if (own.length === 0) return [accessLog(general)];
  const placeOf = findPlace([...new Set([...placesOf(invocation)])]);
  const owners = new Set(own.map(({ where }) => where));
  const isOwned = (request: GatewayRequest): boolean => owners.has(placeOf(request) ?? "");
  const start = configFile === null ? folder : dirname(configFile.file);
  const logs = own.flatMap(({ where, accessLog: given }) => {
    if (given === false) return [];
    return [accessLog({ ...general, ...optionsOf(given, start), skip: (request) => placeOf(request) !== where })];
  });
  return [...(isOn ? [accessLog({ ...general, skip: isOwned })] : []), ...logs];
}

function ownLogs({ configFile }: Pick<Invocation, "configFile">): readonly OwnLog[] {
  return Object.entries(configFile?.config.mounts ?? {}).flatMap(([where, value]) =>
    isMountReference(value) && value.accessLog !== undefined ? [{ where, accessLog: value.accessLog }] : [],
  );
}

/** Every mount that there is: of two within one another, the inner one has the request. */
function placesOf({ settings, configFile }: Pick<Invocation, "settings" | "configFile">): readonly string[] {
  const fromFlags = settings.list("mount").map((text) => text.slice(0, text.indexOf("=")));
  return [...fromFlags, ...Object.keys(configFile?.config.mounts ?? {})];
}

function generalOptions(settings: EffectiveSettings): AccessLogOptions {
  const path = settings.text("accessLogFile");
  const byDefault = settings.text("logFormat") === "json" ? "json" : "combined";
  return {
    format: settings.text("accessLogFormat") ?? byDefault,
    ...(path !== undefined && { destination: { path } }),
  };
}

function optionsOf(given: true | Exclude<OwnLog["accessLog"], boolean>, folder: string): AccessLogOptions {
  if (given === true) return {};
  if (typeof given === "string") return { format: given };
  const { format, file } = given;
  return {
    ...(format !== undefined && { format }),
    ...(file !== undefined && { destination: { path: resolve(folder, file) } }),
  };
}
