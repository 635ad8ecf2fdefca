// The second body of a request: the data that a Filter works on (FastCGI 1.0 §6.4).
import {
  GatewayError,
  type GatewayRequest,
  incomingBody,
  parseContentLength,
  type RequestBody,
  type RequestState,
  type StateKey,
  stateKey,
} from "@gw/core";

/** A file of the web server, or whatever else it wants filtered. */
export interface FilterData {
  /**
   * The bytes, once. The web server sends them after the request's body; an app that reads them first has that body wait
   * in a temporary file. An end before the length it announced throws `GW_BODY_CUT`. No limit: it is the server's own file.
   */
  readonly body: RequestBody;
  /** When it was last changed; `null` if the web server does not say. */
  readonly lastModified: Date | null;
}

const dataKey: StateKey<FilterData> = stateKey("gw.fastcgi.filter-data");

/** The data to filter; `null` for a request that is for no Filter. */
export function filterData(request: GatewayRequest): FilterData | null {
  return request.state.get(dataKey) ?? null;
}

/**
 * A state that holds the data of a Filter's request.
 *
 * @throws GatewayError `GW_CONTENT_LENGTH` (400) for a length that is none, `GW_BAD_VARIABLES` (400) for such a time
 */
export function withFilterData(
  state: RequestState,
  variables: ReadonlyMap<string, string>,
  open: () => AsyncIterable<Uint8Array>,
): RequestState {
  const length = variables.get("FCGI_DATA_LENGTH") ?? "";
  const body = incomingBody({
    length: length === "" ? null : parseContentLength(length),
    exchange: { maxBodyBytes: Number.POSITIVE_INFINITY },
    open,
  });
  return state.with(dataKey, { body, lastModified: readTime(variables.get("FCGI_DATA_LAST_MOD") ?? "") });
}

/** Seconds since 1970 (§6.4). */
function readTime(seconds: string): Date | null {
  if (seconds === "") return null;
  if (/^[0-9]{1,12}$/.test(seconds)) return new Date(Number(seconds) * 1_000);
  throw new GatewayError(
    "GW_BAD_VARIABLES",
    400,
    `FCGI_DATA_LAST_MOD is no time: ${JSON.stringify(seconds.slice(0, 40))}`,
  );
}
