// A password from whoever runs the command: typed twice without an echo, or the one line on standard input.
import { text } from "node:stream/consumers";
import type { ReadStream } from "node:tty";
import { StartError, UsageError } from "../usage-error.ts";

const MAX_CHARS = 1_024; // what the login layers take

/**
 * Reads a new password.
 *
 * @throws UsageError for one that no login can take; StartError if the two that were typed differ, or typing was broken off
 */
export async function readNewPassword(prompt: (text: string) => void): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) return checked((await text(stdin)).replace(/\r?\n$/, ""));
  stdin.setRawMode(true); // before anything is asked: who types ahead is not shown either
  stdin.setEncoding("utf8");
  try {
    const password = checked(await typed(stdin, "New password: ", prompt));
    if ((await typed(stdin, "The same again: ", prompt)) !== password) throw new StartError("the two passwords differ");
    return password;
  } finally {
    stdin.setRawMode(false);
  }
}

function checked(password: string): string {
  if (password === "")
    throw new UsageError("the password is empty; type one, or give it as the one line of standard input");
  if (password.length > MAX_CHARS) throw new UsageError(`the password has more than ${MAX_CHARS} characters`);
  if (/[\u0000-\u001f\u007f-\u009f]/.test(password))
    throw new UsageError("the password has control characters or several lines");
  return password;
}

/** One line typed at a terminal, which shows nothing of it. */
function typed(stdin: ReadStream, question: string, prompt: (text: string) => void): Promise<string> {
  prompt(question);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = "";
    const end = (finish: () => void): void => {
      stdin.off("data", take);
      stdin.pause();
      prompt("\n");
      finish();
    };
    const take = (chunk: string): void => {
      for (const [at, char] of [...chunk].entries()) {
        if (char === "\r" || char === "\n") {
          const rest = [...chunk].slice(at + 1).join("");
          end(() => resolve(line));
          if (rest !== "") stdin.unshift(rest); // pasted: the next line is the next answer
          return;
        }
        if (char === "\u0003" || char === "\u0004")
          return end(() => reject(new StartError("broken off; nothing was changed")));
        if (char === "\u007f" || char === "\b") line = [...line].slice(0, -1).join("");
        else if (char === "\u0015") line = "";
        else line += char;
      }
    };
    stdin.on("data", take);
  });
}
