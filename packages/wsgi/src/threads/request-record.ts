// A request's head as texts of a record, and back. Byte strings both ways; only the user is text, as UTF-8.
import { type Address, HeaderList, type Principal, type RequestHead, toBytes, toText } from "@gw/core";
import type { RingRecord } from "./ring.ts";

/** What of a request an interface needs in another thread. */
export interface PlainHead
  extends Pick<
    RequestHead,
    "method" | "scheme" | "target" | "mount" | "path" | "query" | "protocol" | "headers" | "client" | "server"
  > {
  readonly principal: Principal | null;
  /** Of the body, bytes; `null`: not known. */
  readonly length: number | null;
  /** What `mountVariables` gave. */
  readonly variables: Readonly<Record<string, string>>;
  /** Further keys of the environ, as JSON; `""`: none. */
  readonly keys: string;
  readonly canInform: boolean;
  /** Whether the body comes in records of its own. */
  readonly isBodyRemote: boolean;
}

const HTTPS = 1;
const INFORMS = 2;
const REMOTE_BODY = 4;
const NO_LENGTH = "-";
/** Texts before the header lines. */
const FIXED = 11;

/** Parts of the record of a request. */
export function writeRequest(head: PlainHead): { a: number; b: number; texts: string[] } {
  const { scheme, canInform, isBodyRemote, headers, client, server, length, principal } = head;
  const texts = [
    head.method,
    head.target,
    head.mount,
    head.path,
    head.query,
    head.protocol,
    addressText(client),
    addressText(server),
    length === null ? NO_LENGTH : String(length),
    principal === null ? "" : toBytes(JSON.stringify(principal)),
    head.keys === "" ? "" : toBytes(head.keys),
  ];
  const flat = headers.toFlat();
  for (const one of flat) texts.push(one);
  for (const name in head.variables) texts.push(name, head.variables[name] as string);
  const a = (scheme === "https" ? HTTPS : 0) | (canInform ? INFORMS : 0) | (isBodyRemote ? REMOTE_BODY : 0);
  return { a, b: flat.length, texts };
}

/** The head in such a record. */
export function readRequest({ a, b, texts }: RingRecord): PlainHead {
  const [method, target, mount, path, query, protocol, client, server, length, principal, keys] = texts as string[];
  return {
    method: method as string,
    scheme: (a & HTTPS) === 0 ? "http" : "https",
    target: target as string,
    mount: mount as string,
    path: path as string,
    query: query as string,
    protocol: protocol as string,
    client: readAddress(client as string),
    server: readAddress(server as string) as Address,
    length: length === NO_LENGTH ? null : Number(length),
    principal: principal === "" ? null : (JSON.parse(toText(principal as string)) as Principal),
    keys: toText(keys as string),
    headers: HeaderList.fromWire(texts.slice(FIXED, FIXED + b)),
    variables: readVariablesAt(texts, FIXED + b),
    canInform: (a & INFORMS) !== 0,
    isBodyRemote: (a & REMOTE_BODY) !== 0,
  };
}

function readVariablesAt(texts: readonly string[], at: number): Readonly<Record<string, string>> {
  if (at === texts.length) return NO_VARIABLES;
  const variables: Record<string, string> = {};
  for (let next = at; next < texts.length; next += 2) variables[texts[next] as string] = texts[next + 1] as string;
  return variables;
}

const NO_VARIABLES: Readonly<Record<string, string>> = Object.freeze({});

/** `""`, `P` and a path, or `H`, port, a space and host. */
function addressText(address: Address | null): string {
  if (address === null) return "";
  return "path" in address ? `P${toBytes(address.path)}` : `H${address.port} ${address.host}`;
}

function readAddress(text: string): Address | null {
  if (text === "") return null;
  if (text.startsWith("P")) return { path: toText(text.slice(1)) };
  const space = text.indexOf(" ");
  return { host: text.slice(space + 1), port: Number(text.slice(1, space)) };
}
