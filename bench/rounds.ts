// Interleaved rounds: every variant takes its turn in every round, so that a change of the machine's speed hits all alike.

/** Something to measure. */
export interface Variant {
  readonly name: string;
  /** Runs once; gives the cost per operation, in any one unit. */
  measure(): Promise<number> | number;
}

/** What was measured of a variant. */
export interface Measured {
  readonly name: string;
  readonly values: readonly number[];
}

/** How often everything is run. */
export interface RoundOptions {
  readonly rounds: number;
  readonly warmUp: number;
  /** After so long no further round is begun, but the first that counts always is, milliseconds. @default no limit */
  readonly budgetMs?: number;
}

/** Runs every variant once per round, in turn; the first rounds are for warming up and are not counted. */
export async function interleave(
  variants: readonly Variant[],
  { rounds, warmUp, budgetMs = Number.POSITIVE_INFINITY }: RoundOptions,
): Promise<readonly Measured[]> {
  const values = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  const until = performance.now() + budgetMs;
  for (let round = -warmUp; round < rounds; round++) {
    if (performance.now() > until) {
      if (round > 0) break;
      round = Math.max(round, 0); // no time is left for warming up
    }
    for (const { name, measure } of variants) {
      const value = await measure();
      if (round >= 0) values.get(name)?.push(value);
    }
  }
  return variants.map(({ name }) => ({ name, values: values.get(name) ?? [] }));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** A table: the least and the middle value of each variant, and both as ratios of the first variant's. */
export function table(measured: readonly Measured[], unit: string): string {
  const [base] = measured as readonly [Measured, ...Measured[]];
  const width = Math.max(...measured.map(({ name }) => name.length));
  const lines = measured.map(({ name, values }) => {
    const [least, middle] = [Math.min(...values), median(values)];
    const cells = [least, middle, least / Math.min(...base.values), middle / median(base.values)];
    return `| ${name.padEnd(width)} | ${cells.map((value) => value.toFixed(2).padStart(9)).join(" | ")} |`;
  });
  const heads = [`least ${unit}`, `median ${unit}`, "least ÷", "median ÷"].map((head) => head.padStart(9));
  return [
    `| ${"".padEnd(width)} | ${heads.join(" | ")} |`,
    `|${"-".repeat(width + 2)}|---:|---:|---:|---:|`,
    ...lines,
  ].join("\n");
}
