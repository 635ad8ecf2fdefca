import { expect, test } from "vitest";
import type { Principal } from "../model/principal.ts";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { gateway } from "./gateway.ts";
import { layer } from "./layer.ts";
import { withPrincipal } from "./notes.ts";
import { mountVariables, type VariablesFunction, withVariables } from "./variables.ts";

const ada: Principal = { user: "ada", type: "form", groups: [], claims: { email: "ada@example.com" } };
const of = (variables: VariablesFunction) => mountVariables(withVariables(testRequest(), variables));

test("a request outside such mounts has none", () => {
  expect(mountVariables(testRequest())).toEqual({});
});

test("the function sees the request as it is when the variables are written: user included", async () => {
  const login = layer({ name: "login", onRequest: (request) => withPrincipal(request, ada) });
  const app = compose([login], (request) => text(JSON.stringify(mountVariables(request))));
  const answer = await send(
    gateway().mount("/app", app, {
      variables: ({ principal, params }) => ({
        EMAIL: String(principal?.claims.email),
        ZONE: params.get("zone") ?? "",
      }),
    }),
    "/app",
    { params: { zone: "eu" } },
  );
  expect(answer.json()).toEqual({ EMAIL: "ada@example.com", ZONE: "eu" });
});

test("inner mounts add to outer ones, and win where names meet", () => {
  const outer = withVariables(testRequest(), () => ({ A: "outer", B: "outer" }));
  expect(mountVariables(withVariables(outer, () => ({ B: "inner", C: "inner" })))).toEqual({
    A: "outer",
    B: "inner",
    C: "inner",
  });
});

test("values are text and become byte strings", () => {
  expect(of(() => ({ NAME: "안" }))).toEqual({ NAME: "\u00ec\u0095\u0088" });
});

test.each([
  "REMOTE_USER",
  "remote_user",
  "AUTH_TYPE",
  "HTTP_PROXY",
  "Http_X",
  "SCRIPT_FILENAME",
  "DOCUMENT_ROOT",
  "PHP_VALUE",
  "PHP_ADMIN_VALUE",
  "HTTPS",
  "SERVER_NAME",
  "GATEWAY_INTERFACE",
  "CONTENT_LENGTH",
  "PATH",
  "LD_PRELOAD",
  "A-B",
  "A=B",
  "1A",
  "",
])("R-C6, R-F10: the name %j is refused", (name) => {
  expect(() => of(() => ({ [name]: "x" }))).toThrow(expect.objectContaining({ code: "GW_VARIABLE", status: 500 }));
});

test.each([["a\u0000b"], [5], [null], [undefined]])("the value %j is refused", (value) => {
  expect(() => of(() => ({ X: value as string }))).toThrow(expect.objectContaining({ code: "GW_VARIABLE" }));
});
