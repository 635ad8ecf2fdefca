// What a program is given: variables, input, arguments, descriptors.
import assert from "node:assert/strict";
import { type HostCase, variables } from "./case.ts";

const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;
const ENVIRONMENT = String.raw`${HEAD}; env -0 | tr '\n\000' '|\n'`;

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < 3; at++) yield Buffer.alloc(30_000, "x");
}

/** Cases about requests. */
export const requestCases: readonly HostCase[] = [
  {
    title: "R-C1: SCRIPT_NAME ends with the program, PATH_INFO is the decoded rest",
    name: "path.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      const { SCRIPT_NAME, PATH_INFO, REQUEST_URI } = variables(await ask("/a%20b/%ec%95%88?x=1"));
      assert.deepEqual([SCRIPT_NAME, PATH_INFO], ["/cgi-bin/path.cgi", "/a b/안"]);
      assert.equal(REQUEST_URI, "/cgi-bin/path.cgi/a%20b/%ec%95%88?x=1");
    },
  },
  {
    title: "R-C1: QUERY_STRING is raw, and there when it is empty",
    name: "query.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      assert.equal(variables(await ask("?a=%26+b&c")).QUERY_STRING, "a=%26+b&c");
      assert.equal(variables(await ask()).QUERY_STRING, "");
    },
  },
  {
    title: "R-C1: method, protocol, addresses and software have their variables",
    name: "basics.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      const got = variables(await ask("", { method: "DELETE" }));
      assert.deepEqual(
        [got.GATEWAY_INTERFACE, got.REQUEST_METHOD, got.SERVER_PROTOCOL, got.REMOTE_ADDR, got.SERVER_NAME],
        ["CGI/1.1", "DELETE", "HTTP/1.1", "127.0.0.1", "localhost"],
      );
      assert.match(got.SERVER_PORT ?? "", /^[0-9]+$/);
      assert.match(got.SERVER_SOFTWARE ?? "", /./);
    },
  },
  {
    title: "R-C1: CONTENT_LENGTH and CONTENT_TYPE come as such, and the body byte for byte",
    name: "body.cgi",
    program: `${HEAD}; echo "$CONTENT_LENGTH|$CONTENT_TYPE|$HTTP_CONTENT_TYPE"; cat`,
    async check(ask) {
      const body = Buffer.from("a body\0with\r\nanything");
      const answer = await ask("", { method: "POST", headers: [["Content-Type", "text/x-mine"]], body });
      assert.equal(answer.text(), `${body.length}|text/x-mine|\n${body}`);
    },
  },
  {
    title: "R-C1: a length has no HTTP_CONTENT_LENGTH beside it",
    name: "twin.cgi",
    deviates: { "lighttpd mod_cgi": "passes HTTP_CONTENT_LENGTH as well" },
    program: `${HEAD}; echo "[$HTTP_CONTENT_LENGTH]"`,
    async check(ask) {
      assert.equal((await ask("", { method: "POST", body: Buffer.from("four") })).text(), "[]\n");
    },
  },
  {
    title: "R-C1: a request without a body has no CONTENT_LENGTH, and an empty input",
    name: "nobody.cgi",
    deviates: { "lighttpd mod_cgi": "says CONTENT_LENGTH=0" },
    program: `${HEAD}; echo "[$CONTENT_LENGTH]"; wc -c`,
    async check(ask) {
      assert.equal((await ask()).text(), "[]\n0\n");
    },
  },
  {
    title: "R-C1: repeated header lines are joined with a comma",
    name: "repeated.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      const headers = [
        ["X-List", "a"],
        ["X-List", "b"],
      ] as const;
      assert.equal(variables(await ask("", { headers })).HTTP_X_LIST, "a, b");
    },
  },
  {
    title: "R-C1: repeated Cookie lines are joined with a semicolon",
    name: "cookies.cgi",
    program: ENVIRONMENT,
    deviates: { "Apache mod_cgid": "joins Cookie lines with a comma" },
    async check(ask) {
      const headers = [
        ["Cookie", "a=1"],
        ["Cookie", "b=2"],
      ] as const;
      assert.equal(variables(await ask("", { headers })).HTTP_COOKIE, "a=1; b=2");
    },
  },
  {
    title: "R-C2: a Proxy header never becomes HTTP_PROXY",
    name: "proxy.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      for (const name of ["Proxy", "PROXY"])
        assert.ok(!("HTTP_PROXY" in variables(await ask("", { headers: [[name, "http://evil.example"]] }))));
    },
  },
  {
    title: "R-C3: a header with an underscore shadows none with a hyphen",
    name: "shadow.cgi",
    deviates: { "lighttpd mod_cgi": "joins both into one variable" },
    program: ENVIRONMENT,
    async check(ask) {
      const headers = [
        ["X-Real", "good"],
        ["X_Real", "evil"],
      ] as const;
      assert.equal(variables(await ask("", { headers })).HTTP_X_REAL, "good");
    },
  },
  {
    title: "R-C4: nothing of a query becomes an argument",
    name: "words.cgi",
    deviates: { "Apache mod_cgid": "passes the words of a query without =, as RFC 3875 §4.4 asks" },
    program: `${HEAD}; echo "$#"`,
    async check(ask) {
      assert.equal((await ask("?one+-two")).text(), "0\n");
    },
  },
  {
    title: "R-C5: nothing of the host's own environment is handed on",
    name: "clean.cgi",
    program: ENVIRONMENT,
    async check(ask) {
      const names = Object.keys(variables(await ask()));
      assert.deepEqual(
        names.filter((name) => ["HOME", "XDG_DATA_HOME", "NODE_ENV", "VITEST", "NODE_OPTIONS"].includes(name)),
        [],
      );
    },
  },
  {
    title: "R-C6: passwords do not reach programs",
    name: "secret.cgi",
    deviates: { "lighttpd mod_cgi": "passes Authorization" },
    program: ENVIRONMENT,
    async check(ask) {
      const answer = await ask("", { headers: [["Authorization", "Basic c2VjcmV0"]] });
      assert.ok(!answer.text().includes("c2VjcmV0"));
    },
  },
  {
    title: "R-C7: a body without a length is passed with its true CONTENT_LENGTH",
    name: "chunked.cgi",
    deviates: { "Apache mod_cgid": "passes the body without a length, up to the end of the input" },
    program: `${HEAD}; echo "$CONTENT_LENGTH|$HTTP_TRANSFER_ENCODING"; wc -c`,
    async check(ask) {
      const answer = await ask("", { method: "POST", headers: [["Transfer-Encoding", "chunked"]], body: pieces() });
      assert.equal(answer.text(), "90000|\n90000\n");
    },
  },
  {
    title: "R-C15: a program that leaves a megabyte unread is answered",
    name: "deaf.cgi",
    unsteady: {
      "Apache mod_cgid": "one socket for both directions: now and then the answer is lost with the unread body",
    },
    program: `${HEAD}; echo fine`,
    async check(ask) {
      assert.equal((await ask("", { method: "POST", body: new Uint8Array(1_000_000) })).text(), "fine\n");
    },
  },
  {
    title: "R-C20: programs inherit the descriptors 0, 1 and 2 only",
    name: "descriptors.cgi",
    program: `${HEAD}; ls /proc/$$/fd`,
    async check(ask) {
      const numbers = (await ask()).text().trim().split("\n").map(Number);
      assert.deepEqual(
        numbers.filter((fd) => fd < 10), // the shell holds its script open above
        [0, 1, 2],
      );
    },
  },
  {
    title: "§7.2: the working directory is the program's",
    name: "directory.cgi",
    program: `${HEAD}; pwd`,
    async check(ask) {
      assert.match((await ask()).text(), /\/programs\n$/);
    },
  },
];
