// What a log line may hold: any value as plain data, bounded in depth and size, without secrets (R-O13).

/** A value as JSON knows it. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_STRING = 8_192;
const SECRET =
  /^(?:(?:proxy-?)?authorization|(?:set-?)?cookies?|x-api-key|api-?key|pass(?:word|wd|phrase)|secret|client-?secret|(?:access|refresh|id|csrf)-?token|private-?key)$/i;

const MAX_NAMES = 1_000;
const knownNames = new Map<string, boolean>();

/** Whether values under this name are replaced by `"[secret]"`; `-` and `_` are the same. */
export function isSecretName(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const secret = SECRET.test(name.replaceAll("_", "-"));
  if (knownNames.size < MAX_NAMES) knownNames.set(name, secret);
  return secret;
}

/** The facts of one event, or of a logger: names with plain values, `undefined` left out, secrets replaced. */
export function* plainFacts(facts: object): Generator<readonly [name: string, value: PlainValue]> {
  for (const name of Object.keys(facts)) {
    let value: unknown;
    try {
      value = (facts as Readonly<Record<string, unknown>>)[name];
    } catch (error) {
      value = `[cannot be logged: ${String(error)}]`; // a getter threw
    }
    if (value !== undefined) yield [name, isSecretName(name) ? "[secret]" : toPlain(value, 1)];
  }
}

/** Any value as plain data. Never throws; cycles, long strings and deep objects are cut. */
export function toPlain(value: unknown, depth = 0): PlainValue {
  switch (typeof value) {
    case "string":
      return cutText(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : objectToPlain(value, depth);
    case "undefined":
      return null;
    case "function":
      return `[function ${value.name}]`;
    default:
      return String(value);
  }
}

/** A string of bounded length. */
export function cutText(text: string): string {
  return text.length <= MAX_STRING ? text : `${text.slice(0, MAX_STRING)}… (${text.length} chars)`;
}

function objectToPlain(value: object, depth: number): PlainValue {
  try {
    if (value instanceof Error) return errorToPlain(value, depth);
    if (depth >= MAX_DEPTH) return "[…]";
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map) return recordToPlain(value, depth);
    if (Array.isArray(value) || value instanceof Set) return listToPlain(value, depth);
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
      return toPlain((value as { toJSON(): unknown }).toJSON(), depth + 1);
    }
    return recordToPlain(Object.entries(value), depth);
  } catch (error) {
    return `[cannot be logged: ${String(error)}]`; // a getter or toJSON threw
  }
}

/** Pairs such as `HeaderList.toJSON()` gives keep their secrets too. */
function listToPlain(values: Iterable<unknown>, depth: number): PlainValue {
  const list: PlainValue[] = [];
  let more = 0;
  for (const value of values) {
    if (list.length === MAX_ITEMS) more++;
    else if (isSecretPair(value)) list.push([value[0], "[secret]"]);
    else list.push(toPlain(value, depth + 1));
  }
  return more === 0 ? list : [...list, `… (${more} more)`];
}

function isSecretPair(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isSecretName(value[0]);
}

function recordToPlain(entries: Iterable<readonly [unknown, unknown]>, depth: number): PlainValue {
  const record: Record<string, PlainValue> = {};
  let left = MAX_ITEMS;
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    if (left-- === 0) {
      record["…"] = "cut";
      break;
    }
    const name = String(key);
    // Not an assignment: "__proto__" must become a key like any other.
    Object.defineProperty(record, name, {
      value: isSecretName(name) ? "[secret]" : toPlain(value, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return record;
}

const SAID_ELSEWHERE: ReadonlySet<string> = new Set(["name", "stack", "cause", "errors"]);

/** The name, message, code, stack, facts and cause of an error, and of the errors it gathers. */
function errorToPlain(error: Error, depth: number): PlainValue {
  const record: Record<string, PlainValue> = { type: error.name, message: toPlain(error.message) };
  for (const [key, value] of Object.entries(error)) {
    if (key in record || SAID_ELSEWHERE.has(key) || value === null) continue;
    if (typeof value !== "object" && typeof value !== "function") {
      record[key] = isSecretName(key) ? "[secret]" : toPlain(value);
    }
  }
  if (typeof error.stack === "string") record.stack = toPlain(error.stack);
  if (depth >= MAX_DEPTH) return record;
  if (error.cause !== undefined) record.cause = toPlain(error.cause, depth + 1);
  if (error instanceof AggregateError) record.errors = listToPlain(error.errors, depth);
  return record;
}
