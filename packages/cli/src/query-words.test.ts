import { expect, test } from "vitest";
import { parseArguments } from "./config/arguments.ts";
import { withoutQueryWords } from "./query-words.ts";

const cgi = (query: string) => ({ GATEWAY_INTERFACE: "CGI/1.1", QUERY_STRING: query });

test("takes the words of a query off the end, as servers put them there", () => {
  expect(withoutQueryWords(["./app", "--use", "./evil.ts"], "--use+./evil.ts")).toEqual(["./app"]);
  expect(withoutQueryWords(["./app", "a b", "%"], "a%20b+%")).toEqual(["./app"]);
  expect(withoutQueryWords(["./app", "x\\(y\\)"], "x(y)")).toEqual(["./app"]); // Apache escapes for a shell
});

test("leaves arguments alone that are not the query's words", () => {
  expect(withoutQueryWords(["./app", "--use"], "other")).toEqual(["./app", "--use"]);
  expect(withoutQueryWords(["./app", "a=1"], "a=1")).toEqual(["./app", "a=1"]); // §4.4: no list of words
  expect(withoutQueryWords(["./app"], "")).toEqual(["./app"]);
  expect(withoutQueryWords(["x"], "x+y+z")).toEqual(["x"]);
});

test.each(["auto", "cgi"])("R-C4: a query is never a flag of gw %s under a web server", (command) => {
  const line = parseArguments(command, ["./app.ts", "--interface", "wsgi"], { environment: cgi("--interface+wsgi") });
  expect([line.operands, line.settings]).toEqual([["./app.ts"], {}]);
  // However the server has changed the words: what follows the app is nobody's flag.
  const changed = parseArguments(command, ["--log-level", "debug", "./app.ts", "--interface", "wsgi"], {
    environment: cgi("--interface+%77sgi%00"),
  });
  expect([changed.operands, changed.settings]).toEqual([["./app.ts"], { logLevel: "debug" }]);
  // And it does not name the app where a configuration file does.
  expect(parseArguments(command, ["./evil.ts"], { environment: cgi("./evil.ts") }).operands).toEqual([]);
});

test("without a web server, flags may follow the app", () => {
  expect(parseArguments("cgi", ["./app.ts", "--interface", "wsgi"]).settings).toEqual({ interface: "wsgi" });
  expect(parseArguments("serve", ["./app.ts", "-p", "1"], { environment: cgi("-p+1") }).settings).toEqual({ port: 1 });
});
