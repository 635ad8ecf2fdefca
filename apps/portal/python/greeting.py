"""What both Python apps of the portal show: a page in its frame."""
from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="/assets/portal.css">
<header class="bar"><div><a class="home" href="/">gw</a><div class="who"><span>logged in as
<strong>{user}</strong></span></div></div></header>
<main>
<h1>Hello, {user}!</h1>
<p class="lead">{text}</p>
</main>
</html>
"""


def page(title, user, text):
    """A whole page. All three are text, not HTML."""
    return _PAGE.format(title=escape(title), user=escape(user), text=escape(text))
