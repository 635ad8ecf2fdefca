// The programs of the README that the rehearsal runs, so that the first thing a user copies is known to work.
//
//   <!-- rehearse file="hello.ts" get="/" answer="Hello" -->
//   ```ts
//   …
//   ```

/** One program of the README and what it must answer. */
export interface ReadmeApp {
  /** Name to save it under. */
  readonly file: string;
  readonly text: string;
  /** Path to request. */
  readonly get: string;
  /** Text that the answer must contain. */
  readonly answer: string;
}

const marked = /<!-- rehearse (?<attributes>.*?) -->\s*\n```\w*\n(?<text>[\s\S]*?)\n```/g;

/**
 * Finds the marked programs of a README.
 *
 * @throws Error if there is none, or if one lacks an attribute
 */
export function readmeApps(readme: string): ReadmeApp[] {
  const apps = [...readme.matchAll(marked)].map(({ groups }) => {
    const attribute = (name: string): string => {
      const value = groups?.attributes?.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1];
      if (value === undefined) throw new Error(`README.md: expected ${name}="…" in <!-- rehearse … -->`);
      return value;
    };
    const text = `${groups?.text ?? ""}\n`;
    return { file: attribute("file"), get: attribute("get"), answer: attribute("answer"), text };
  });
  if (apps.length === 0) {
    throw new Error('README.md: expected a code block below <!-- rehearse file="…" get="…" answer="…" -->');
  }
  return apps;
}
