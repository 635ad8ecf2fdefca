// What our error pages say: what happened and what one can do, nothing of the inside.

const SENTENCES: Readonly<Record<number, string>> = {
  400: "The request could not be understood.",
  401: "Please sign in to see this.",
  403: "You are not allowed to see this.",
  404: "There is nothing at this address.",
  405: "This address does not take that kind of request.",
  408: "The request took too long to arrive.",
  410: "What was here is gone.",
  411: "The request must say how long it is.",
  413: "What was sent is too large.",
  414: "The address is too long.",
  415: "What was sent is of a type that is not taken here.",
  421: "This server does not answer for that name.",
  429: "Too many requests. Please wait a while, then try again.",
  431: "The request has too many or too long headers.",
  500: "Something went wrong here. Please try again later.",
  501: "This server cannot do that.",
  502: "The application behind this server did not answer properly. Please try again later.",
  503: "The service is not available now. Please try again in a moment.",
  504: "The application behind this server took too long. Please try again later.",
};

/** One sentence for people about a status. */
export function errorSentence(status: number): string {
  return (
    SENTENCES[status] ??
    (status < 500 ? "The request cannot be answered." : "The request failed. Please try again later.")
  );
}
