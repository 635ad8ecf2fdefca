// The places of an app's mounts, read from its description.
import type { Description } from "@gw/core";

/** Where the outermost mounts are: `/app`, `admin.example.com`; empty for an app alone. Pure. */
export function mountPlaces(description: Description | undefined): readonly string[] {
  if (description === undefined) return [];
  const { at, children = [] } = description;
  return at !== undefined ? [at] : [...new Set(children.flatMap(mountPlaces))];
}
