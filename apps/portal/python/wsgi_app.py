"""A WSGI app: with Flask where it is installed, else with nothing but the standard library."""
import sys

from greeting import page

_VERSION = "%d.%d" % sys.version_info[:2]


def _user(environ):
    # A native string holds the bytes of the name (PEP 3333); the name is UTF-8.
    return environ.get("REMOTE_USER", "stranger").encode("latin-1").decode("utf-8", "replace")


def _flask():
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return page("Flask", _user(request.environ), "This is Flask on Python %s." % _VERSION)

    return app


def _plain(environ, start_response):
    if environ["PATH_INFO"] not in ("", "/"):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"there is no page here\n"]
    body = page("WSGI", _user(environ), "This is a WSGI app on Python %s, without a framework." % _VERSION)
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [body.encode("utf-8")]


def create():
    try:
        return _flask()
    except ImportError:
        return _plain
