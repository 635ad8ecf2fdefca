// The two ways a command fails: used wrongly (exit 2), or failed while running (exit 1).
import { GatewayError } from "@gw/core";

/** The command was called wrongly: a bad flag, key or value. The process exits with 2. */
export class UsageError extends GatewayError {
  override readonly name: string = "UsageError";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super("GW_USAGE", 500, message, options);
  }
}

/** Something the command needs could not be had: a module, a file, a port. The process exits with 1. */
export class StartError extends GatewayError {
  override readonly name: string = "StartError";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super("GW_START", 500, message, options);
  }
}
