"""Says whom and what it was asked by, as WSGI and as ASGI, like layers/report.sh and layers/kinds.ts."""


def _report(user, kind, method, seen, trace, body):
    line = "user=%s;type=%s;method=%s;seen=%s;trace=%s;body=%s"
    return (line % (user, kind, method, seen, "yes" if trace else "", body)).encode("latin-1")


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read().decode("latin-1")
    return [
        _report(
            environ.get("REMOTE_USER", "-"),
            environ.get("AUTH_TYPE", "-"),
            environ["REQUEST_METHOD"],
            environ.get("HTTP_X_SEEN", "-"),
            "HTTP_TRACEPARENT" in environ,
            body,
        )
    ]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    body = b""
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    principal = scope["extensions"].get("gw.principal", {"user": "-", "type": "-"})
    headers = dict(scope["headers"])
    report = _report(
        principal["user"],
        principal["type"],
        scope["method"],
        headers.get(b"x-seen", b"-").decode("latin-1"),
        b"traceparent" in headers,
        body.decode("latin-1"),
    )
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": report})
