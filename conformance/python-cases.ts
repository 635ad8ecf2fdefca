// Which of the shared cases have a twin in Python, and what stands around it there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, type AppSource, compose, gateway, type Handler, layer, text, withPrincipal } from "@gw/core";

const source = readFileSync(join(import.meta.dirname, "python/wsgi_cases.py"), "utf8");

/** The names that the Python module defines, as functions or as `one = other = …`. */
export const wsgiTwins: readonly string[] = source
  .split("\n")
  .flatMap((line) => /^def ([a-z]\w*)\(environ/.exec(line)?.[1] ?? line.match(/^\w+(?= = )|(?<= = )\w+(?= = )/g) ?? [])
  .filter((name) => name !== "app" && !name.startsWith("_"));

const asAlice = layer({
  name: "asAlice",
  onRequest: (request) => withPrincipal(request, { user: "alice", type: "Test", groups: [], claims: {} }),
});
const named = (name: string): ReturnType<typeof layer> =>
  layer({
    name,
    onRequest: (request) => ({ ...request, headers: request.headers.append("X-In", name) }),
    onResponse: (answer) => ({ ...answer, headers: answer.headers.append("X-Out", name) }),
  });

/** Mounts and layers of the cases that are about them. */
const around: Readonly<Record<string, (app: Handler) => AppSource>> = {
  remoteUser: (app) => compose([asAlice], app),
  encodedSlash: (app) =>
    gateway()
      .mount("/admin", app)
      .run(() => text("public")),
  mountEdges: (app) =>
    gateway()
      .mount("/app", app)
      .mount("/app/inner", app)
      .run(() => text("outside")),
  scriptName: (app) => gateway().mount("/one", gateway().mount("/two", app)).run(app),
  noMatch: (app) => gateway().mount("/app", app),
  textMount: (app) => gateway().mount("/\uc548\ub155", app),
  layerOrder: (app) => compose([named("outer"), named("inner")], app),
  errorInMount: (app) => gateway().use(named("outer")).mount("/broken", app),
};

/** The twin of a case: one Python app serves them all, and is told which one it is. It is started by somebody else. */
export function twinOf(name: string, { handle }: App): AppSource {
  const inside = gateway().mount("/", handle, { variables: () => ({ GW_CASE: name }) });
  const wrap = around[name];
  return wrap === undefined ? inside : wrap((request) => inside.handle(request));
}
