// What guards the folders of the authorizer tests: names and passwords, groups, and a login page under a cookie's name.
import { layer, type Middleware, redirect } from "@gw/core";
import { basicAuth } from "@gw/middleware/basic-auth";

/** Sends who says so by a header to a login page, as a form login would. */
const formLogin: Middleware = layer({
  name: "formLogin",
  onRequest: (request) =>
    request.headers.get("x-want") === "form" ? redirect(`/login?then=${request.path}`) : request,
  onResponse: (answer) => ({ ...answer, headers: answer.headers.append("Set-Cookie", "seen=1") }),
});

const layers: readonly Middleware[] = [
  formLogin,
  basicAuth({
    verify(user, password) {
      if (password !== "lovelace") return null;
      return { user, groups: user === "ada" ? ["staff", "ops"] : [] };
    },
  }),
];

export default layers;
