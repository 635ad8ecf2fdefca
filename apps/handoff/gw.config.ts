// One login in front of apps of every kind, each told in its own words who it is and what the session says.
import { fileURLToPath } from "node:url";
import { pythonAsgi } from "@gw/asgi";
import { cgiProgram, phpCgi } from "@gw/cgi";
import { andThen, compose, gateway, http, type RequestHead, readText, text } from "@gw/core";
import { phpFpm } from "@gw/fastcgi";
import { proxy } from "@gw/http";
import { formLogin } from "@gw/middleware/form-login";
import { signIdentity } from "@gw/middleware/gateway-identity";
import { hashPassword, verifyPassword } from "@gw/middleware/passwords";
import { requireUser } from "@gw/middleware/require-user";
import { session, sessionOf } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { pythonWsgi } from "@gw/wsgi";
import { identityKey } from "./identity-key.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const { HANDOFF_PYTHON = "python3" } = process.env;

const password = await hashPassword("open sesame");
const directory = new Map([
  ["ann", { groups: ["staff", "dev"], claims: { email: "ann@example.com" } }],
  ["jürgen", { groups: [], claims: {} }],
]);

const login = formLogin({
  verify: async (user, given) => (await verifyPassword(given, password)) && (directory.get(user) ?? null),
});

/** The session bridge: what apps may know of the user and of the session, and nothing else of them. */
const variables = (request: RequestHead): Record<string, string> => ({
  USER_GROUPS: request.principal?.groups.join(",") ?? "",
  USER_MAIL: String(request.principal?.claims.email ?? ""),
  USER_THEME: sessionOf<{ theme: string }>(request).get("theme") ?? "light",
});

/** What another page of the site keeps in the session. */
const theme = http((request) =>
  andThen(readText(request), (chosen) => {
    sessionOf<{ theme: string }>(request).set("theme", chosen);
    return text("kept\n");
  }),
);

const python = { cwd: `${here}python`, python: HANDOFF_PYTHON, workers: 1 };

/** The fields in which an app behind HTTP is told the same. */
const told = {
  userHeader: "X-Remote-User",
  groupsHeader: "X-Remote-Groups",
  variableHeaders: { USER_MAIL: "X-Remote-Mail", USER_THEME: "X-Theme" },
  authorization: false,
};
const at = (name: string): string => process.env[`HANDOFF_${name}`] ?? "http://127.0.0.1:9";

export default gateway()
  .use(session({ store: memoryStore() }), login, requireUser())
  .mount("/theme", theme)
  .mount("/cgi", cgiProgram({ command: `${here}cgi/who.sh` }), { variables })
  .mount("/php", phpCgi({ root: `${here}php` }), { variables })
  .mount("/fpm", phpFpm({ root: `${here}php`, start: true }), { variables })
  .mount("/flask", pythonWsgi("flask_app:app", python), { variables })
  .mount("/django", pythonWsgi("django_app:application", python), { variables })
  .mount("/starlette", pythonAsgi("asgi_app:app", python), { variables })
  .mount("/tomcat", proxy({ target: `${at("TOMCAT")}/app`, ...told }), { variables })
  .mount("/node", proxy({ target: at("NODE"), ...told }), { variables })
  .mount("/django-http", proxy({ target: at("DJANGO"), keepHost: true, ...told }), { variables })
  .mount(
    "/grafana",
    proxy({
      target: at("GRAFANA"),
      stripMount: false,
      keepHost: true,
      authorization: false,
      userHeader: "X-WEBAUTH-USER",
      groupsHeader: "X-WEBAUTH-GROUPS",
      variableHeaders: { USER_MAIL: "X-WEBAUTH-EMAIL" },
    }),
    { variables },
  )
  .mount(
    "/signed",
    compose(
      [signIdentity({ issuer: "front", audience: "reports", keys: [identityKey()], claims: ["email"] })],
      proxy({ target: at("GATEWAY") }),
    ),
  )
  .run(http(() => text("in\n")));
