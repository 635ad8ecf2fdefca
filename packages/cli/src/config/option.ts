// What a setting is: its flag, variable and file key are made from one name.
import type { ValueKind } from "./values.ts";

/** Commands that serve HTTP, or try to. */
export const SERVING: readonly string[] = ["serve", "dev", "check", "config", "auto"];
/** Commands that listen, for whatever protocol. */
export const LISTENING: readonly string[] = [...SERVING, "fastcgi"];

/** One setting of the command. */
export interface Option {
  /** Key in gw.config.ts, camel case. The flag and the GW_ variable are made from it. */
  readonly key: string;
  /** One-letter flag. */
  readonly short?: string;
  readonly kind: ValueKind;
  /** Allowed texts. */
  readonly choices?: readonly string[];
  /** May be given several times; the values are collected. */
  readonly repeatable?: true;
  /** Stands for the value in `--help`. */
  readonly value?: string;
  readonly help: string;
  /** What holds when nobody sets it, as a user would write it. */
  readonly default?: string;
  /** Heading in `--help`. */
  readonly group:
    | "App"
    | "Binding"
    | "FastCGI and CGI"
    | "TLS and protocols"
    | "Limits"
    | "Proxies"
    | "Logs"
    | "Process"
    | "Control"
    | "Request"
    | "Users";
  /** Commands that take it; absent: all. */
  readonly only?: readonly string[];
}

/** `headerTimeout` → `--header-timeout`. */
export function flagOf({ key }: Option): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `accessLog` → `--no-access-log`: how a switch is turned off. */
export function negatedFlagOf(option: Option): string {
  return `--no-${flagOf(option).slice(2)}`;
}

/** `headerTimeout` → `GW_HEADER_TIMEOUT`. */
export function variableOf({ key }: Option): string {
  return `GW_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** What stands for the value: `PORT`, `auto|1|2`; empty for a switch. */
export function placeholderOf({ kind, value, choices }: Option): string {
  if (kind === "switch") return "";
  return value ?? (choices === undefined ? kind.toUpperCase() : choices.join("|"));
}
