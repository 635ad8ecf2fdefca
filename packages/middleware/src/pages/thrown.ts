// Which answers were made from an error that was thrown: the guard around a mount turns it into one before outer layers see it.
import {
  type Answer,
  decodeText,
  type HeaderList,
  isGatewayError,
  notesIfAny,
  type RequestHead,
  reasonPhrase,
} from "@gw/core";

/** Whether an answer is what an error became. */
export function isThrown(answer: Answer, { exchange }: RequestHead): boolean {
  if (answer.kind === "accept" || answer.status < 400) return false;
  const error = notesIfAny(exchange)?.error ?? null;
  return error !== null && answer.status === (isGatewayError(error) ? error.status : 500);
}

/** Whether a body has the form that core gives to errors; an app may have caught the error and answered something else. */
export function isStatusText(body: Uint8Array, status: number, headers: HeaderList): boolean {
  if (headers.get("content-type")?.startsWith("text/plain") !== true) return false;
  const title = `${status} ${reasonPhrase(status)}`.trimEnd();
  return decodeText(body.subarray(0, title.length + 1)) === `${title}\n`;
}
