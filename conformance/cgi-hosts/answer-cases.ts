// What a program answers, well or badly.
import assert from "node:assert/strict";
import type { CollectedAnswer } from "@gw/testing";
import type { HostCase } from "./case.ts";

const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;

/** A 5xx without anything that the program wrote. */
function assertRefused(answer: CollectedAnswer): void {
  assert.ok(answer.status >= 500 || answer.isCut, `status ${answer.status}`);
  assert.ok(!answer.text().includes("own words"));
}

const refused = (title: string, name: string, program: string, deviates: Record<string, string> = {}): HostCase => ({
  title: `R-C9: ${title} is a 5xx, and nothing of the program's goes out`,
  name,
  program,
  deviates,
  check: async (ask) => assertRefused(await ask()),
});

/** Cases about answers. */
export const answerCases: readonly HostCase[] = [
  {
    title: "R-C9: Status, header fields and body arrive; lines may end in LF or CRLF",
    name: "document.cgi",
    program: String.raw`printf 'Status: 418 Short and stout\r\nContent-Type: text/x-tea\nX-Pot: 1\r\n\r\ntea\n'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.headers.get("x-pot"), answer.text()], [418, "1", "tea\n"]);
      assert.match(answer.headers.get("content-type") ?? "", /^text\/x-tea/);
    },
  },
  {
    title: "repeated Set-Cookie lines stay apart and in order",
    name: "set-cookie.cgi",
    program: String.raw`printf 'Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n'`,
    async check(ask) {
      assert.deepEqual((await ask()).headers.getAll("set-cookie"), ["a=1", "b=2"]);
    },
  },
  {
    title: "R-C8: a local redirect is answered inside, as GET without a body",
    name: "local.cgi",
    program: String.raw`printf 'Location: /page.txt\n\n'`,
    async check(ask) {
      const answer = await ask("", { method: "POST", body: Buffer.from("x") });
      assert.deepEqual([answer.status, answer.text(), answer.headers.get("location")], [200, "a page\n", null]);
    },
  },
  {
    title: "R-C8: //host/path is not local",
    name: "elsewhere.cgi",
    deviates: {
      "Apache mod_cgid": "takes every place that starts with / for a local one",
      "lighttpd mod_cgi": "takes every place that starts with / for a local one",
    },
    program: String.raw`printf 'Location: //other.example/page.txt\n\n'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.headers.get("location")], [302, "//other.example/page.txt"]);
    },
  },
  {
    title: "R-C8: a program that redirects to itself is ended with a 5xx",
    name: "again.cgi",
    deviates: { "lighttpd mod_cgi": "answers 302 after some rounds" },
    program: String.raw`printf 'Location: /cgi-bin/again.cgi\n\n'`,
    check: async (ask) => assertRefused(await ask()),
  },
  {
    title: "R-C9: an absolute Location without a status is a 302",
    name: "absolute.cgi",
    program: String.raw`printf 'Location: https://example.org/\n\n'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.headers.get("location")], [302, "https://example.org/"]);
    },
  },
  {
    title: "R-C9: a redirect of the client may bring a status and a document",
    name: "moved.cgi",
    program: String.raw`printf 'Status: 301 Moved\nLocation: https://example.org/\nContent-Type: text/html\n\n<a>moved</a>'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.text()], [301, "<a>moved</a>"]);
    },
  },
  refused("no output at all", "nothing.cgi", "exit 0"),
  {
    ...refused(
      "an exit inside the header block",
      "inside.cgi",
      String.raw`printf 'Content-Type: text/plain\n'; exit 3`,
    ),
    unsteady: { "lighttpd mod_cgi": "answers 200 with what there was, if it sees the end before the exit" },
  },
  refused("a line without a colon", "line.cgi", String.raw`printf 'own words\n\nown words'`, {
    "lighttpd mod_cgi": "takes all of it for the body of a 200",
  }),
  refused("a blank before the colon", "blank.cgi", String.raw`printf 'Content-Type : text/plain\n\nown words'`, {
    "lighttpd mod_cgi": "takes all of it for the body of a 200",
  }),
  refused("a folded line", "folded.cgi", String.raw`printf 'Content-Type: text/plain\n  folded\n\nown words'`, {
    "lighttpd mod_cgi": "answers 200",
  }),
  refused("a NUL", "nul.cgi", String.raw`printf 'Content-Type: text/plain\nX-A: a\000b\n\nown words'`, {
    "Apache mod_cgid": "answers 200",
    "lighttpd mod_cgi": "passes it to the client",
  }),
  refused("a bare CR", "cr.cgi", String.raw`printf 'Content-Type: text/plain\nX-A: a\rX-B: b\n\nown words'`, {
    "Apache mod_cgid": "takes CR for the end of a line",
    "lighttpd mod_cgi": "passes it to the client",
  }),
  refused(
    "a status that is no number",
    "status.cgi",
    String.raw`printf 'Status: fine\nContent-Type: a/b\n\nown words'`,
    { "Apache mod_cgid": "answers 200" },
  ),
  refused(
    "two lengths that differ",
    "lengths.cgi",
    String.raw`printf 'Content-Type: text/plain\nContent-Length: 9\nContent-Length: 5\n\nown words'`,
    { "Apache mod_cgid": "takes one of them", "lighttpd mod_cgi": "takes one of them" },
  ),
  refused("a body without Content-Type", "untyped.cgi", String.raw`printf 'X-A: 1\n\nown words'`, {
    "Apache mod_cgid": "answers without a type",
    "lighttpd mod_cgi": "answers without a type",
  }),
  {
    title: "R-C10: hop-by-hop fields of a program do not pass",
    name: "hop.cgi",
    deviates: {
      "Apache mod_cgid": "passes what the program's Connection names",
      "lighttpd mod_cgi": "passes what the program's Connection names",
    },
    program: String.raw`printf 'Content-Type: text/plain\nKeep-Alive: timeout=999\nConnection: X-Mine\nX-Mine: 1\n\nbody'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.headers.get("x-mine"), answer.text()], [null, "body"]);
      assert.ok(!(answer.headers.get("keep-alive") ?? "").includes("999"));
    },
  },
  {
    title: "R-C10: a 1xx as the last status is a 5xx",
    name: "interim.cgi",
    unsteady: {
      "Apache mod_cgid": "sends the 100; what a client makes of the rest depends on the client",
      "lighttpd mod_cgi": "takes it for an interim head; what comes then depends on timing",
    },
    program: String.raw`printf 'Status: 100 Continue\nContent-Type: text/plain\n\nown words'`,
    check: async (ask) => assertRefused(await ask()),
  },
  {
    title: "R-C12: a file that may not be executed is refused, and its text not sent",
    name: "data.txt",
    program: "own words",
    async check(ask) {
      const answer = await ask();
      assert.ok(answer.status >= 400);
      assert.ok(!answer.text().includes("own words"));
    },
  },
  {
    title: "R-C12: no path leads out of the directory",
    name: "up.cgi",
    program: `${HEAD}; echo run`,
    async check(ask) {
      const answer = await ask("/../../www/page.txt");
      assert.ok(answer.status >= 400 || !answer.text().includes("a page"));
    },
  },
  {
    title: "HEAD has a head and no body",
    name: "head.cgi",
    program: String.raw`printf 'Content-Type: text/plain\nX-A: 1\n\nbody'`,
    async check(ask) {
      const answer = await ask("", { method: "HEAD" });
      assert.deepEqual([answer.status, answer.headers.get("x-a"), answer.bytes.length], [200, "1", 0]);
    },
  },
  {
    title: "204 has no body",
    name: "empty.cgi",
    program: String.raw`printf 'Status: 204 No Content\n\n'`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.bytes.length, answer.isCut], [204, 0, false]);
    },
  },
  {
    title: "what is written beyond Content-Length never reaches the client",
    name: "beyond.cgi",
    deviates: { "Apache mod_cgid": "drops the length of a program that does not keep it, and sends all" },
    program: String.raw`printf 'Content-Type: text/plain\nContent-Length: 4\n\nbody own words'`,
    async check(ask) {
      assert.equal((await ask()).text(), "body");
    },
  },
  {
    title: "R-C16: standard error never reaches the client",
    name: "noise.cgi",
    program: `echo own words >&2; ${HEAD}; echo fine; echo own words >&2`,
    async check(ask) {
      assert.equal((await ask()).text(), "fine\n");
    },
  },
  {
    title: "R-C17: a header line of a megabyte is a 5xx",
    name: "long.cgi",
    program: String.raw`printf 'Content-Type: text/plain\nX-Long: '; head -c 1000000 /dev/zero | tr '\000' a; printf '\n\nown words'`,
    check: async (ask) => assertRefused(await ask()),
  },
  {
    title: "R-C18: an answer ends with the end of output, though the program goes on",
    name: "goes-on.cgi",
    program: `${HEAD}; echo done; exec >&- 2>&-; sleep 1`,
    async check(ask) {
      const answer = await ask();
      assert.deepEqual([answer.text(), answer.isCut], ["done\n", false]);
    },
  },
  {
    title: "R-C19: an answer whose program is killed is visibly cut",
    name: "killed.cgi",
    deviates: { "Apache mod_cgid": "ends the answer as if it were whole" },
    unsteady: { "lighttpd mod_cgi": "ends the answer as if it were whole, if it sees the end before the exit" },
    program: `${HEAD}; echo half; kill -KILL $$`,
    async check(ask) {
      assert.equal((await ask()).isCut, true);
    },
  },
  {
    title: "R-C19: an answer shorter than its Content-Length is visibly cut",
    name: "short.cgi",
    deviates: { "Apache mod_cgid": "drops the length of a program that does not keep it" },
    program: String.raw`printf 'Content-Type: text/plain\nContent-Length: 10\n\nhalf'`,
    async check(ask) {
      assert.equal((await ask()).isCut, true);
    },
  },
];
