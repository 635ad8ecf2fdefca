// A visitor with a session: every visit that was acknowledged counts, whatever was killed meanwhile.
import { Agent, request as httpRequest } from "node:http";
import { type Client, Wrong } from "./load.ts";

const PATH = "/shop/visits";

/** Comes again and again; the session knows who it is and how often it came. */
export function visitor(url: string, { isKept = true }: { isKept?: boolean } = {}): Client {
  const agent = new Agent({ keepAlive: isKept, maxSockets: 1 });
  let cookie = "";
  let count = 0;
  /** Visits without an answer: each may have been counted, or not. */
  let open = 0;
  return {
    kind: `sessions in Redis, ${isKept ? "kept" : "new connections"}`,
    async ask() {
      open++;
      const answer = await visit(url, agent, cookie);
      const [, user, number] = /^(\w+) (\d+)$/.exec(answer.text) ?? [];
      if (answer.status !== 200) throw new Wrong(PATH, String(answer.status));
      const [before, most] = [count, count + open];
      cookie = answer.cookie ?? cookie;
      count = Number(number);
      open = 0;
      if (user !== "ann" || count <= before || count > most) {
        throw new Wrong(PATH, "visits were lost or made up", `after ${before} at most ${most}: ${answer.text}`);
      }
      return { path: PATH };
    },
    close: () => agent.destroy(),
  };
}

interface Visited {
  readonly status: number | undefined;
  readonly text: string;
  readonly cookie: string | undefined;
}

function visit(url: string, agent: Agent, cookie: string): Promise<Visited> {
  return new Promise((done, fail) => {
    const headers = cookie === "" ? {} : { cookie };
    const request = httpRequest(`${url}${PATH}`, { agent, method: "POST", headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("error", () => fail(new Wrong(PATH, "cut")));
      const set = answer.headers["set-cookie"]?.[0]?.split(";")[0];
      answer.on("end", () => done({ status: answer.statusCode, text, cookie: set }));
    });
    request.on("error", (error: NodeJS.ErrnoException) => fail(new Wrong(PATH, error.code ?? error.message)));
    request.end();
  });
}
