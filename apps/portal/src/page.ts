// The frame that every page of the portal written in TypeScript shares.

/** What a page shows. */
export interface PageContent {
  title: string;
  /** Name of the user, or `null` when nobody is logged in. */
  user: string | null;
  /** HTML of the page. */
  body: string;
}

/** A whole HTML page. */
export function page({ title, user, body }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><link rel="stylesheet" href="/assets/portal.css">
<header class="bar"><div><a class="home" href="/">gw</a>${who(user)}</div></header>
<main>
${body}
</main>
</html>
`;
}

function who(user: string | null): string {
  if (user === null) return `<div class="who"><a class="button" href="/login">Log in</a></div>`;
  return `<div class="who"><span>logged in as <a href="/account/"><strong>${escapeHtml(user)}</strong></a></span>
<form method="post" action="/logout"><button class="quiet">Log out</button></form></div>`;
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
