// The portal: several kinds of app behind one login. `npm start` serves it on http://127.0.0.1:8000.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromAsgi, pythonAsgi } from "@gw/asgi";
import { cgiBin, gitHttpBackend } from "@gw/cgi";
import { compose, gateway, layer, some } from "@gw/core";
import { fileAnswer } from "@gw/core/node";
import { basicAuth } from "@gw/middleware/basic-auth";
import { errorPages } from "@gw/middleware/error-pages";
import { formLogin } from "@gw/middleware/form-login";
import { oidc } from "@gw/middleware/oidc";
import { hashPassword } from "@gw/middleware/passwords";
import { requireUser } from "@gw/middleware/require-user";
import { localStore, session } from "@gw/middleware/session";
import { pythonWsgi, wsgiThreads } from "@gw/wsgi";
import { account, staff } from "./src/account.ts";
import { chat } from "./src/chat.ts";
import { dataFolder } from "./src/data-folder.ts";
import { makeDemoRepository } from "./src/demo-repository.ts";
import { elsewhere } from "./src/elsewhere.ts";
import { phpPages, visitsPool } from "./src/fastcgi-apps.ts";
import { demoProvider, issuerOf, portalClient } from "./src/provider.ts";
import { cardsOf, startPage } from "./src/start-page.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const data = dataFolder;
const repositories = join(data, "repositories");
mkdirSync(repositories, { recursive: true });
const hasGit = makeDemoRepository(repositories);

const demo = { user: "demo", password: "open sesame" };
const chief = { user: "chief", password: "open barley" };
const users = {
  [demo.user]: await hashPassword(demo.password),
  [chief.user]: { password: await hashPassword(chief.password), groups: ["staff"] },
};

// PORTAL_OIDC=8001 starts a provider of logins on that port, beside the portal, and offers it on the login page.
const providerPort = Number(process.env.PORTAL_OIDC ?? 0);
const provider = { port: providerPort, origin: process.env.PORTAL_ORIGIN ?? "http://127.0.0.1:8000" };
const providerLogin =
  providerPort === 0
    ? []
    : [
        layer({ name: "provider", ...demoProvider(provider) }),
        oidc({
          issuer: issuerOf(provider),
          ...portalClient,
          origin: provider.origin,
          allowHttp: true, // on this machine
          scopes: ["openid", "profile"],
          path: "/login/oidc",
          callbackPath: "/login/oidc/callback",
          backChannelPath: "/login/oidc/ended",
        }),
      ];
const alternatives = providerPort === 0 ? [] : [{ label: "Sign in with a provider", href: "/login/oidc" }];

const loggedIn = requireUser();
// git sends a name and a password; a browser has its session.
const loggedInOrPassword = some(requireUser(), basicAuth({ users, realm: "gw portal" }));

// Without a Python on the machine these mounts answer 503, and everything else lives.
const python = { cwd: join(here, "python"), workers: 1 };

const php = phpPages(here);

// It reads and writes files while it is called: in a thread of its own nobody else waits for them.
const guestbook = wsgiThreads(new URL("./src/guestbook.ts", import.meta.url), { name: "guestbook" });

const apps = gateway()
  .use(
    errorPages(),
    session({ store: localStore({ directory: data }) }),
    ...providerLogin,
    formLogin({ users, alternatives, afterLogin: "/", afterLogout: "/" }),
  )
  .mount("/assets", (request) => fileAnswer(request, { root: join(here, "assets") }))
  .mount("/account", compose([loggedIn], account))
  .mount("/staff", compose([requireUser({ groups: ["staff"] })], staff))
  .mount("/guestbook", compose([loggedIn], guestbook))
  .mount("/chat", compose([loggedIn], fromAsgi(chat())))
  .mount("/wsgi", compose([loggedIn], pythonWsgi("wsgi_app:create()", python)))
  .mount("/asgi", compose([loggedIn], pythonAsgi("asgi_app:create()", python)))
  .mount("/cgi-bin", compose([loggedIn], cgiBin({ root: join(here, "cgi-bin") })))
  .mount("/fastcgi", compose([loggedIn], visitsPool(here)))
  .mount("/elsewhere", compose([loggedIn], elsewhere(data)))
  .run(startPage({ cards: cardsOf({ hasGit, hasPhp: php !== null }), accounts: [demo, chief] }));

const git = gitHttpBackend({ root: repositories, exportAll: true, receivePack: true });
const withPhp = php === null ? apps : apps.mount("/php", compose([loggedIn], php));

export default hasGit ? withPhp.mount("/git", compose([loggedInOrPassword], git)) : withPhp;
