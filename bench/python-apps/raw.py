"""The apps of the Python benchmarks: raw, and with a framework where it is installed."""

_MEBIBYTE = b"x" * 1048576


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    data = b"Hello, World!"
    if path == "/mebibyte":
        data = _MEBIBYTE
    elif path == "/upload":
        size = 0
        while True:
            part = environ["wsgi.input"].read(65536)
            if not part:
                break
            size += len(part)
        data = str(size).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))])
    return [data]


async def asgi(scope, receive, send):
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"13")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


def flask():
    from flask import Flask

    app = Flask(__name__)
    app.add_url_rule("/hello", view_func=lambda: "Hello, World!")
    return app


def fastapi():
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/hello")
    async def hello(name: str):
        return {"hello": name}

    return app


def django():
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    # A module of its own, as Django wants it: this one.
    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="bench")
    globals()["urlpatterns"] = [path("hello", lambda request: HttpResponse("Hello, World!"))]
    return get_wsgi_application()


async def large(scope, receive, send):
    """1 MiB in one event."""
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"1048576")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _MIB})


_MIB = bytes(1048576)


def sockets():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route, WebSocketRoute

    async def echo(websocket):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    routes = [Route("/hello", lambda request: PlainTextResponse("here")), WebSocketRoute("/", echo)]
    return Starlette(routes=routes)


async def received(scope, receive, send):
    """Counts the bytes of the body."""
    size = 0
    more = True
    while more:
        event = await receive()
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
    data = str(size).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})
