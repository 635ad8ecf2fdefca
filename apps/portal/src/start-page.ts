// The start page: what is mounted where. Works without JavaScript.
import { GatewayError, type Handler, html, http } from "@gw/core";
import { escapeHtml, page } from "./page.ts";

/** A mount as the start page lists it. */
export interface Card {
  /** Gateway interface and language: `"WSGI · TypeScript"`. */
  tag: string;
  title: string;
  about: string;
  links: readonly { href: string; label: string }[];
}

/** The cards of the portal's mounts. */
export function cardsOf({ hasGit, hasPhp }: { hasGit: boolean; hasPhp: boolean }): readonly Card[] {
  const git: Card = {
    tag: "CGI · git http-backend",
    title: "Git repository",
    about: "<code>git clone</code> and <code>git push</code> over smart HTTP, with the same account.",
    links: [{ href: "/git/demo.git/info/refs?service=git-upload-pack", label: "What git sees" }],
  };
  return [
    {
      tag: "WSGI · TypeScript",
      title: "Guestbook",
      about: "A sync app, <code>(environ, startResponse)</code>. It runs in a worker thread; entries stay in a file.",
      links: [{ href: "/guestbook/", label: "Sign the book" }],
    },
    {
      tag: "ASGI · TypeScript",
      title: "Chat",
      about: "An async app, <code>(scope, receive, send)</code>, with a WebSocket.",
      links: [{ href: "/chat/", label: "Join the room" }],
    },
    {
      tag: "WSGI, ASGI · Python",
      title: "Python",
      about: "Flask and FastAPI where they are installed, else apps of the standard library, in worker processes.",
      links: [
        { href: "/wsgi/", label: "WSGI" },
        { href: "/asgi/", label: "ASGI" },
      ],
    },
    {
      tag: "CGI · shell, Perl",
      title: "Programs",
      about: "A process per request, with a clean environment (RFC 3875).",
      links: [
        { href: "/cgi-bin/hello.sh", label: "Shell" },
        { href: "/cgi-bin/turn.pl", label: "Perl" },
      ],
    },
    {
      tag: hasPhp ? "FastCGI · TypeScript, PHP" : "FastCGI · TypeScript",
      title: "Programs that stay",
      about: "Started, watched and replaced by the gateway; many requests each.",
      links: [{ href: "/fastcgi/", label: "TypeScript" }, ...(hasPhp ? [{ href: "/php/", label: "PHP" }] : [])],
    },
    ...(hasGit ? [git] : []),
    {
      tag: "HTTP · another server",
      title: "Elsewhere",
      about: "A server of its own, as Tomcat or Grafana are: told the user in a field that no client can write.",
      links: [{ href: "/elsewhere/", label: "Visit it" }],
    },
    {
      tag: "Groups",
      title: "Staff",
      about: "A page for the group <code>staff</code>; everybody else who is logged in gets 403.",
      links: [
        { href: "/staff/", label: "For staff only" },
        { href: "/account/", label: "My account" },
      ],
    },
  ];
}

/** What the start page needs. */
export interface StartPageOptions {
  cards: readonly Card[];
  /** The demo accounts, shown because this is a sample. */
  accounts: readonly { user: string; password: string }[];
}

/** A handler that answers `/` with the list of mounts. */
export function startPage({ cards, accounts }: StartPageOptions): Handler {
  return http((request) => {
    if (request.path !== "/") throw new GatewayError("GW_NOT_FOUND", 404, "there is no page here");
    return html(
      page({
        title: "gw portal",
        user: request.principal?.user ?? null,
        body: body(request.principal === null, cards, accounts),
      }),
    );
  });
}

function body(isVisitor: boolean, cards: readonly Card[], accounts: StartPageOptions["accounts"]): string {
  const known = accounts.map(
    ({ user, password }) => `<kbd>${escapeHtml(user)}</kbd> with the password <kbd>${escapeHtml(password)}</kbd>`,
  );
  return `<h1>One login, every kind of app</h1>
<p class="lead">This page comes from one process. Behind it run a sync app, an async app with WebSockets, Python apps, FastCGI and CGI programs, PHP, a git server and a server of its own: each in its own interface, all behind the same login, each told the user in its own words.</p>
${isVisitor ? `<p class="note">Everything below asks for a login first. The demo accounts are ${known.join(", and ")}, who is in the group <code>staff</code>.</p>` : ""}
<ul class="grid">${cards.map(card).join("\n")}</ul>`;
}

function card({ tag, title, about, links }: Card): string {
  const anchors = links.map(({ href, label }) => `<a href="${escapeHtml(href)}">${escapeHtml(label)}</a>`).join(" ");
  return `<li class="card"><span class="tag">${escapeHtml(tag)}</span><h2>${escapeHtml(title)}</h2><p>${about}</p><div class="links">${anchors}</div></li>`;
}
