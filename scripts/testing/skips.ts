// Says which tests did not run and why. In CI every skip needs a reason in scripts/allowed-skips.json.
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** One test that did not run. */
export interface Skip {
  /** `@gw/core src/model/headers.test.ts > title` */
  readonly test: string;
  /** What the test or the list says; `null`: nobody says why. */
  readonly reason: string | null;
  /** A reason of the list covers it. */
  readonly isAllowed: boolean;
}

/** Reasons by part of a test's title, by runtime: `"node 20"`, `"darwin"` or `"any"`. */
export type AllowedSkips = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The sections of the list that hold for this process. */
export function runtimeNames(): string[] {
  return ["any", process.platform, `node ${process.versions.node.split(".")[0]}`];
}

/** Finds the reason of the list for a test, or `null`. */
export function allowedReason(allowed: AllowedSkips, runtimes: readonly string[], title: string): string | null {
  const entries = runtimes.flatMap((runtime) => Object.entries(allowed[runtime] ?? {}));
  return entries.find(([part]) => title.includes(part))?.[1] ?? null;
}

/** Prints the skipped tests after a run, and fails the run in strict mode if one has no allowed reason. */
export class SkipReporter implements Reporter {
  readonly #allowed: AllowedSkips;
  readonly #isStrict: boolean;

  constructor(allowed: AllowedSkips, isStrict: boolean) {
    this.#allowed = allowed;
    this.#isStrict = isStrict;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skips = modules.flatMap((module) => [...module.children.allTests("skipped")].map((test) => this.#read(test)));
    if (skips.length === 0) return;
    console.log(`\n${skips.length} skipped:`);
    for (const { test, reason } of skips) console.log(`  ${test}${reason === null ? "" : ` - ${reason}`}`);
    const refused = skips.filter(({ isAllowed }) => !isAllowed);
    if (!this.#isStrict || refused.length === 0) return;
    console.error(`\n${refused.length} skipped without a reason in scripts/allowed-skips.json:`);
    for (const { test } of refused) console.error(`  ${test}`);
    process.exitCode = 1;
  }

  #read(test: TestCase): Skip {
    const title = `${test.project.name} ${test.module.relativeModuleId} > ${test.fullName}`;
    const reason = allowedReason(this.#allowed, runtimeNames(), title);
    const result = test.result();
    const note = result.state === "skipped" ? result.note : undefined;
    return { test: title, reason: reason ?? note ?? null, isAllowed: reason !== null };
  }
}
