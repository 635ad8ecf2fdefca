// Which answers were made from an error that was thrown: the guard around a mount turns it into one before outer layers see it.
import { type Answer, isGatewayError, notesIfAny, type RequestHead } from "@gw/core";

/** Whether an answer is what an error became. */
export function isThrown(answer: Answer, { exchange }: RequestHead): boolean {
  if (answer.kind === "accept" || answer.status < 400) return false;
  const error = notesIfAny(exchange)?.error ?? null;
  return error !== null && answer.status === (isGatewayError(error) ? error.status : 500);
}
