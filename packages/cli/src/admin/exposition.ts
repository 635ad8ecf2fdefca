// Metrics as text (Prometheus exposition format 0.0.4): read, added up over processes, written. Pure.

/** Samples of one metric. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** Value by sample: the name with its suffix and labels, as written. */
  readonly samples: ReadonlyMap<string, number>;
}

/** Reads an exposition that one of our registries wrote. */
export function parseExposition(text: string): readonly MetricFamily[] {
  const families: { name: string; help: string; type: string; samples: Map<string, number> }[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) {
      const rest = line.slice(7);
      const space = rest.indexOf(" ");
      families.push({ name: rest.slice(0, space), help: rest.slice(space + 1), type: "untyped", samples: new Map() });
    } else if (line.startsWith("# TYPE ")) {
      const family = families.at(-1);
      if (family !== undefined) family.type = line.slice(line.lastIndexOf(" ") + 1);
    } else if (line !== "") {
      const space = line.lastIndexOf(" ");
      families.at(-1)?.samples.set(line.slice(0, space), Number(line.slice(space + 1).replace("Inf", "Infinity")));
    }
  }
  return families;
}

/**
 * Adds up what several processes counted: a sample's value is the sum over all of them.
 *
 * @param gone texts of processes that have ended: what they counted counts on, but their gauges (how things are now) do not
 */
export function mergeExpositions(texts: readonly string[], gone: readonly string[] = []): string {
  const merged = new Map<string, MetricFamily & { samples: Map<string, number> }>();
  const add = ({ samples, ...family }: MetricFamily): void => {
    let into = merged.get(family.name);
    if (into === undefined) {
      into = { ...family, samples: new Map() };
      merged.set(family.name, into);
    }
    for (const [sample, value] of samples) into.samples.set(sample, (into.samples.get(sample) ?? 0) + value);
  };
  for (const text of texts) for (const family of parseExposition(text)) add(family);
  for (const text of gone) for (const family of parseExposition(text)) if (family.type !== "gauge") add(family);
  return writeExposition([...merged.values()]);
}

function writeExposition(families: readonly MetricFamily[]): string {
  const written = families.map(({ name, help, type, samples }) => {
    const lines = [...samples].map(([sample, value]) => `${sample} ${numberText(value)}\n`).join("");
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
  });
  return written.join("");
}

function numberText(value: number): string {
  return String(value).replace("Infinity", "Inf").replace(/^Inf/, "+Inf");
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The labels of a sample as written: `name{method="GET"}` → `{ method: "GET" }`. */
export function labelsOf(sample: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...sample.matchAll(LABEL)].map(([, name, value]) => [
      name as string,
      (value as string).replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char)),
    ]),
  );
}
