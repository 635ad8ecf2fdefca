// A conformance case: one app, one check, run through every carrier that can carry it.

import { type App, type AppSource, toApp } from "@gw/core";
import type { Ability, ClientAnswer, ClientRequest, CollectedAnswer } from "@gw/testing";

/** What a check talks to. */
export interface Client {
  /** Name of the carrier. */
  readonly carrier: string;
  /** Sends a request and reads the answer to its end. */
  fetch(target: string, request?: Omit<ClientRequest, "target">): Promise<CollectedAnswer>;
  /** Sends a request; the body of the answer is the caller's to read. */
  open(target: string, request?: Omit<ClientRequest, "target">): Promise<ClientAnswer>;
}

/** A case. It is an app too, so that a carrier in another process can load it by its export's name. */
export interface Case extends App {
  /** A sentence a user could check. */
  readonly title: string;
  /** What a carrier must be able to do; others leave the case out. */
  readonly needs: readonly Ability[];
  /** The app breaks rules on purpose, to see what the carrier does. */
  readonly breaksRules: boolean;
  readonly check: (client: Client) => Promise<void>;
}

/** What a case is made of. */
export interface CaseOptions {
  title: string;
  /** @default [] */
  needs?: readonly Ability[];
  /** @default false */
  breaksRules?: boolean;
  app: AppSource;
  check(client: Client): Promise<void>;
}

/** Makes a case. */
export function defineCase({ title, needs = [], breaksRules = false, app, check }: CaseOptions): Case {
  return { ...toApp(app), title, needs, breaksRules, check };
}
