"""The apps of the Python benchmark: raw, and with a framework where it is installed."""


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, World!"]


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
