// An error as text, and back: what was thrown in one thread is thrown in the other, stack and all.
import { GatewayError, type HeaderPairs, isGatewayError, toBytes, toText } from "@gw/core";

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly gateway?: { code: string; status: number; headers: readonly (readonly [string, string])[] | null };
  readonly cause?: PlainError;
}

const MAX_STACK_CHARS = 16_384;
const MAX_CAUSES = 4;

/** The error as a byte string. */
export function writeError(error: unknown): string {
  return toBytes(JSON.stringify(plain(error, 0)));
}

/** The error that `writeError` was given: a GatewayError with its code and status, or an Error with its name and stack. */
export function readError(text: string): Error {
  return revived(JSON.parse(toText(text)) as PlainError);
}

function plain(error: unknown, depth: number): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: `the app threw ${show(error)}` };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    stack: stack?.slice(0, MAX_STACK_CHARS),
    ...(isGatewayError(error) && {
      gateway: { code: error.code, status: error.status, headers: error.headers === null ? null : [...error.headers] },
    }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: plain(cause, depth + 1) }),
  };
}

function show(value: unknown): string {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return typeof value;
  }
}

function revived({ name, message, stack, gateway, cause }: PlainError): Error {
  const options = cause === undefined ? {} : { cause: revived(cause) };
  const error =
    gateway === undefined
      ? new Error(message, options)
      : new GatewayError(gateway.code, gateway.status, message, {
          ...options,
          ...(gateway.headers !== null && { headers: gateway.headers as HeaderPairs }),
        });
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true });
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true });
  return error;
}
