import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import { isHopByHop, withoutHopByHop } from "./hop-by-hop.ts";

test.each([
  "Connection",
  "Keep-Alive",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "Proxy-Connection",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
])("R-C10: %s does not cross the gateway", (name) => {
  const headers = HeaderList.from([
    [name, "x"],
    ["Content-Type", "text/plain"],
    [name.toUpperCase(), "y"],
  ]);
  expect(isHopByHop(name.toLowerCase())).toBe(true);
  expect([...withoutHopByHop(headers)]).toEqual([["Content-Type", "text/plain"]]);
});

test("R-C10: removes what Connection lists, over several lines and in any case", () => {
  const headers = HeaderList.from([
    ["Connection", "close, X-One"],
    ["connection", ",x-TWO ,"],
    ["X-One", "1"],
    ["x-two", "2"],
    ["X-Three", "3"],
  ]);
  expect([...withoutHopByHop(headers)]).toEqual([["X-Three", "3"]]);
});

test("a peer cannot drop what frames the message or says what it is", () => {
  const headers = HeaderList.from({
    Connection: "Content-Length, Host, Content-Type",
    Host: "h",
    "Content-Length": "1",
    "Content-Type": "a/b",
  });
  expect([...withoutHopByHop(headers)].map(([name]) => name)).toEqual(["Host", "Content-Length", "Content-Type"]);
});

test("gives back the same list when nothing has to go", () => {
  const headers = HeaderList.from({ Host: "h", Accept: "*/*" });
  expect(withoutHopByHop(headers)).toBe(headers);
});
