import { request } from "@gw/core/testing";
import { expect, test, vi } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { PRINT_ENVIRONMENT, printedVariables, shellProgram } from "./programs.ts";

const program = shellProgram(PRINT_ENVIRONMENT);

test("R-C1, R-C5: a program sees the request's variables, a fixed PATH, and nothing of the gateway's environment", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret");
  const answer = await request(cgiProgram({ command: program }), "/a%20b/c?x=1&y=%41", {
    headers: { Host: "example.org", "User-Agent": "test", Accept: ["text/html", "text/plain"] },
  });
  expect(answer.status).toBe(200);
  expect(printedVariables(answer.text())).toEqual({
    GATEWAY_INTERFACE: "CGI/1.1",
    HTTP_ACCEPT: "text/html, text/plain",
    HTTP_HOST: "example.org",
    HTTP_USER_AGENT: "test",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    PATH_INFO: "/a b/c",
    QUERY_STRING: "x=1&y=%41",
    REMOTE_ADDR: "127.0.0.1",
    REMOTE_PORT: "50000",
    REQUEST_METHOD: "GET",
    REQUEST_SCHEME: "http",
    REQUEST_URI: "/a%20b/c?x=1&y=%41",
    SCRIPT_FILENAME: program,
    SCRIPT_NAME: "",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: expect.stringMatching(/^gw\/\d/),
  });
});
