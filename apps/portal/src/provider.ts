// A provider of logins for the sample: OpenID Connect on this machine, with two people and no passwords. Not for anything else.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { App } from "@gw/core";
import Provider, { type Configuration, type JWK } from "oidc-provider";
import { escapeHtml } from "./page.ts";

/** Who the portal is to the provider. */
export const portalClient = { clientId: "portal", clientSecret: randomBytes(32).toString("base64url") };

/** The people it knows, and their groups. */
const people: Readonly<Record<string, { name: string; groups: readonly string[] }>> = {
  ann: { name: "Ann Example", groups: ["staff"] },
  bob: { name: "Bob Example", groups: [] },
};

/** What the provider is told. */
export interface ProviderOptions {
  /** Port on 127.0.0.1. */
  port: number;
  /** The portal, as browsers see it. */
  origin: string;
}

/** The provider's issuer. */
export function issuerOf({ port }: ProviderOptions): string {
  return `http://127.0.0.1:${port}`;
}

/** The life of the provider: starts and stops with the portal. */
export function demoProvider(options: ProviderOptions): Required<Pick<App, "start" | "stop">> {
  const server = createServer();
  return {
    async start() {
      const provider = new Provider(issuerOf(options), configuration(options));
      const answer = provider.callback();
      server.on("request", (request, response) => {
        const [, uid] = /^\/interaction\/([\w-]+)$/.exec(request.url ?? "") ?? [];
        void (uid === undefined ? answer(request, response) : interact(provider, request, response));
      });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(options.port, "127.0.0.1", resolve);
      });
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function configuration({ origin }: ProviderOptions): Configuration {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "demo", use: "sig", alg: "RS256" } as JWK] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    clients: [
      {
        client_id: portalClient.clientId,
        client_secret: portalClient.clientSecret,
        redirect_uris: [`${origin}/login/oidc/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        backchannel_logout_uri: `${origin}/login/oidc/ended`,
        backchannel_logout_session_required: true,
      },
    ],
    claims: { openid: ["sub"], profile: ["name", "groups"] },
    conformIdTokenClaims: false,
    scopes: ["openid", "profile"],
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = logoutPage(origin, form);
        },
      },
    },
    ttl: { AccessToken: 3_600, Grant: 86_400, IdToken: 3_600, Interaction: 600, Session: 86_400 },
    // Its own dispatcher calls no loopback address, where the portal is.
    fetch: (url, { method, headers, body, redirect, signal } = {}) =>
      fetch(url, { method, headers, body, redirect, signal } as RequestInit),
    findAccount: (_context, id) => {
      const person = people[id];
      return person && { accountId: id, claims: () => ({ sub: id, name: person.name, groups: [...person.groups] }) };
    },
    // Nobody is asked whether the portal may know who they are.
    loadExistingGrant: async (context) => {
      const { provider, client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client?.clientId ?? "", accountId: session?.accountId ?? "" });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  };
}

/** The provider's own login: choose who you are. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await provider.interactionDetails(request, response);
    if (request.method !== "POST") return void response.writeHead(200, html).end(choicePage(provider.issuer));
    let body = "";
    for await (const chunk of request) body = (body + chunk).slice(0, 1_000);
    const accountId = new URLSearchParams(body).get("who") ?? "";
    if (!Object.hasOwn(people, accountId)) return void response.writeHead(400, html).end(choicePage(provider.issuer));
    await provider.interactionFinished(request, response, { login: { accountId } });
  } catch {
    response.writeHead(400, { "Content-Type": "text/plain" }).end("this sign-in is over; begin again at the portal\n");
  }
}

const html = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };

function choicePage(issuer: string): string {
  const buttons = Object.entries(people).map(
    ([id, { name, groups }]) =>
      `<button class="choice" name="who" value="${id}"><strong>${escapeHtml(name)}</strong><small>${groups.length > 0 ? `in the group ${escapeHtml(groups.join(", "))}` : "in no group"}</small></button>`,
  );
  return providerPage(
    "Who are you?",
    `<p>A provider of logins for this sample, at <code>${escapeHtml(issuer)}</code>. It asks for no password.</p><form method="post">${buttons.join("")}</form>`,
  );
}

function logoutPage(origin: string, form: string): string {
  const buttons = `<button class="choice" form="op.logoutForm" name="logout" value="yes"><strong>Sign out of the provider, too</strong><small>it will ask who you are next time</small></button>
<button class="choice" form="op.logoutForm"><strong>Stay signed in there</strong><small>the portal has signed you out already</small></button>`;
  return providerPage(
    "Signed out of the portal",
    `<p>You came from <code>${escapeHtml(origin)}</code>.</p>${form}<div>${buttons}</div>`,
  );
}

function providerPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root{color-scheme:light dark;--page:light-dark(#f3f1fa,#16141c);--card:light-dark(#fff,#201d29);--ink:light-dark(#211c30,#ece9f4);--soft:light-dark(#655f77,#aaa3bd);--line:light-dark(#dcd7ea,#3a3548);--accent:light-dark(#5b3fb8,#b9a4ff)}
*{box-sizing:border-box}
body{margin:0;min-height:100dvh;display:grid;place-items:center;padding:1.5rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,"DejaVu Sans",sans-serif}
main{width:100%;max-width:26rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:1rem}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.2}
p{margin:0 0 1.25rem;color:var(--soft)}
code{font-size:.9em;overflow-wrap:anywhere}
.choice{display:block;width:100%;margin:.75rem 0 0;padding:.8rem 1rem;border:1px solid var(--line);border-radius:.6rem;background:none;color:inherit;font:inherit;text-align:left;cursor:pointer}
.choice:hover{border-color:var(--accent)}
.choice:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.choice strong{display:block;color:var(--accent)}
.choice small{color:var(--soft)}
</style>
<main><h1>${title}</h1>${body}</main>
</html>
`;
}
