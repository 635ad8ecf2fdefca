// What each layer of @gw/middleware does to one request: the same, whatever is behind it and whatever carries it (R-M17).
import { contentRows } from "./content-rows.ts";
import { loginRows } from "./login-rows.ts";
import { requestRows } from "./request-rows.ts";
import type { LayerRow, RowPlace } from "./row.ts";
import { userRows } from "./user-rows.ts";

/** All rows. */
export function layerRows(place: RowPlace): readonly LayerRow[] {
  return [...userRows(place), ...loginRows(), ...requestRows(), ...contentRows(place)];
}

/** Entries of the package that are no layers: what layers take, and helpers. */
export const notLayers: ReadonlySet<string> = new Set([
  "session/memory",
  "session/file",
  "session/sqlite",
  "session/sealed",
  "session/redis",
  "redis-counters",
  "passwords",
]);
