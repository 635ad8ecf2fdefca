"""An ASGI app: with FastAPI where it is installed, else with nothing but the standard library."""
import sys

from greeting import page

_VERSION = "%d.%d" % sys.version_info[:2]


def _user(scope):
    return scope["extensions"].get("gw.principal", {}).get("user", "stranger")


def _fastapi():
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse

    app = FastAPI(title="gw portal")

    @app.get("/", response_class=HTMLResponse)
    async def index(request: Request):
        return page("FastAPI", _user(request.scope), "This is FastAPI on Python %s." % _VERSION)

    return app


async def _plain(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    is_found = scope["path"][len(scope["root_path"]) :] in ("", "/")
    body = page("ASGI", _user(scope), "This is an ASGI app on Python %s, without a framework." % _VERSION)
    status, data = (200, body.encode("utf-8")) if is_found else (404, b"there is no page here\n")
    headers = [(b"content-type", b"text/html; charset=utf-8" if is_found else b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def create():
    try:
        return _fastapi()
    except ImportError:
        return _plain
