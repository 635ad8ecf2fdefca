// Takes cookies out of a request's Cookie fields; what stays, stays byte for byte.
import { HeaderList } from "@gw/core";

/** The fields without the cookies that the test names; the same list if there are none of them. Values are raw, as sent. */
export function withoutCookies(headers: HeaderList, isUnwanted: (name: string, value: string) => boolean): HeaderList {
  const given = headers.toFlat();
  const flat: string[] = [];
  let isChanged = false;
  for (let at = 0; at < given.length; at += 2) {
    const [name, value] = [given[at] as string, given[at + 1] as string];
    const kept = name.toLowerCase() === "cookie" ? withoutPairs(value, isUnwanted) : value;
    isChanged ||= kept !== value;
    if (kept !== null) flat.push(name, kept);
  }
  return isChanged ? HeaderList.fromWire(flat) : headers;
}

/** `null`: nothing is left. */
function withoutPairs(field: string, isUnwanted: (name: string, value: string) => boolean): string | null {
  const pairs = field.split(";");
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf("=");
    return equals === -1 || !isUnwanted(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  });
  if (kept.length === pairs.length) return field;
  if (kept.every((pair) => pair.trim() === "")) return null;
  if (kept[0] !== pairs[0]) kept[0] = (kept[0] as string).trimStart();
  return kept.join(";");
}
