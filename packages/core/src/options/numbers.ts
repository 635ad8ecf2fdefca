// What a number among options may be, and the sentence that refuses any other.

/** What a number may be. */
export interface AllowedNumber {
  /** As it stands in an error: `"a whole number from 1 on"`. */
  readonly means: string;
  test(value: number): boolean;
}

/** Longest delay of a timer of Node, milliseconds; a longer one fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** A limit of time that may be absent. */
export const limitMs: AllowedNumber = { means: "milliseconds from 0 on, or Infinity", test: (value) => value >= 0 };

/** A time that a timer of Node measures. */
export const timerMs: AllowedNumber = {
  means: `milliseconds from 0 to ${LONGEST_TIMER_MS}`,
  test: (value) => value >= 0 && value <= LONGEST_TIMER_MS,
};

/** A number of things, or no limit to it. */
export function countFrom(least: number): AllowedNumber {
  return {
    means: `a whole number from ${least} on, or Infinity`,
    test: (value) => value >= least && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY),
  };
}

/** A number of things that there can be. */
export function wholeNumber(least: number, most: number): AllowedNumber {
  return {
    means: `a whole number from ${least} to ${most}`,
    test: (value) => Number.isInteger(value) && value >= least && value <= most,
  };
}

/** What stands in a table for each option that is a number. */
export type NumberTable<Options> = { readonly [Name in keyof Options]?: AllowedNumber };

/**
 * Refuses numbers that cannot be meant; an absent one has its default.
 *
 * @throws what `refuse` makes of the sentence that names the option, what it may be and what was found
 */
export function checkNumbers<Options extends object>(
  options: Options,
  table: NumberTable<Options>,
  refuse: (message: string) => Error,
): void {
  for (const [name, { means, test }] of Object.entries<AllowedNumber>(table as Record<string, AllowedNumber>)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || (typeof value === "number" && test(value))) continue;
    throw refuse(`${name} is ${means}, found ${shownValue(value)}`);
  }
}

/** A value as it stands in an error. */
export function shownValue(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
