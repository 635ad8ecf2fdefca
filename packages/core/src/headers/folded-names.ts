// Names as lenient backends read them: several spellings, one variable.

/**
 * A field name as the least careful backend reads it: any case, and any char but letters and digits as `-`.
 *
 * `Remote_User`, `remote.user` and `REMOTE-USER` all become `HTTP_REMOTE_USER` somewhere.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(OTHERS, "-");
}

const OTHERS = /[^a-z0-9]/g;

/** Whether a name, in whatever spelling, is one of a fixed set. */
export type NameTest = (name: string) => boolean;

/** Makes a test that is cheap where it matters: length and first letter settle nearly every name of a request. */
export function foldedNames(names: readonly string[]): NameTest {
  const byLength: (readonly string[] | undefined)[] = [];
  for (const name of names) byLength[name.length] = [...(byLength[name.length] ?? []), foldName(name)];
  return (name) => {
    const candidates = byLength[name.length];
    if (candidates === undefined) return false;
    const first = name.charCodeAt(0) | LOWER_CASE;
    return candidates.some((folded) => folded.charCodeAt(0) === first && folded === foldName(name));
  };
}

const LOWER_CASE = 0x20; // the bit that tells "a" from "A"
