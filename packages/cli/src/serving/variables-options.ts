// Settings → how the variables of a web server are read: `gw fastcgi`, `gw cgi`.
import type { ReadVariablesOptions } from "@gw/core";
import type { EffectiveSettings } from "../config/settings.ts";
import { UsageError } from "../usage-error.ts";

/** @throws UsageError for a mount that is no path */
export function variablesOptionsOf(settings: EffectiveSettings): ReadVariablesOptions {
  const trustRemoteUser = settings.isOn("trustRemoteUser");
  const mount = settings.text("mountedAt");
  if (mount !== undefined && !mount.startsWith("/")) {
    throw new UsageError(`--mounted-at: found ${JSON.stringify(mount)}, expected a path that starts with "/"`);
  }
  return {
    ...(trustRemoteUser !== undefined && { trustRemoteUser }),
    ...(mount !== undefined && { mount: Buffer.from(mount.replace(/\/+$/, "")).toString("latin1") }),
  };
}
