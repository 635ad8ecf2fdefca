// What the portal knows of who is logged in, and a page that only a group may see.
import { GatewayError, type Handler, html, http, type Principal } from "@gw/core";
import { escapeHtml, page } from "./page.ts";

/** The page of the user's own account: who, how, which groups, and both ways out. Needs a user. */
export const account: Handler = http(({ principal, path }) => {
  if (path !== "" && path !== "/") throw new GatewayError("GW_NOT_FOUND", 404, "there is no page here");
  const user = principal as Principal;
  return html(page({ title: "Account", user: user.user, body: accountBody(user) }));
});

function accountBody({ user, type, groups, claims }: Principal): string {
  const name = typeof claims.name === "string" ? claims.name : user;
  const rows: [string, string][] = [
    ["user", user],
    ["logged in by", type === "oidc" ? "the provider (oidc)" : `a password (${type})`],
    ["groups", groups.join(", ") || "none"],
  ];
  return `<p class="tag">Session</p>
<h1>${escapeHtml(name)}</h1>
<p class="lead">Every app of the portal sees this user, whatever it is written in, and none of them has seen a password.</p>
<table class="facts">${rows.map(([key, value]) => `<tr><th>${key}</th><td>${escapeHtml(value)}</td></tr>`).join("\n")}</table>
<div class="actions">
<form method="post" action="/logout"><button>Log out</button></form>
<form method="post" action="/logout?everywhere=1"><button class="plain">Log out everywhere</button></form>
</div>
<p class="soft">Everywhere: on this device and on all others.</p>`;
}

/** A page for the group \`staff`; who may see it is decided before. */
export const staff: Handler = http(({ principal }) =>
  html(
    page({
      title: "Staff",
      user: principal?.user ?? null,
      body: `<p class="tag">Group · staff</p><h1>For staff only</h1>
<p class="lead">${escapeHtml(principal?.user ?? "")} is in the group <code>staff</code>. Everybody else gets 403 here, before this page is asked.</p>`,
    }),
  ),
);
