// Which of several places a request is in: the rule of mounts, for those who look on (metrics, a mount that is drained).
import type { RequestHead } from "../model/request.ts";
import { splitMount } from "../target/mount.ts";
import { comparePlaces, hostOf, isInHost, parsePlace } from "./place.ts";

/**
 * Finds the most precise of the places that a request is in, as the gateway's mounts do; `null`: in none.
 *
 * @param places as for `mount`: `/app`, `admin.example.com`, `*.example.com/app`
 * @throws GatewayError `GW_PLACE`
 */
export function findPlace(places: readonly string[]): (request: Pick<RequestHead, "path" | "server">) => string | null {
  const sorted = places.map(parsePlace).sort(comparePlaces);
  return (request) => {
    const host = hostOf(request);
    const found = sorted.find((place) => isInHost(place, host) && splitMount(request.path, place.path) !== null);
    return found?.text ?? null;
  };
}
