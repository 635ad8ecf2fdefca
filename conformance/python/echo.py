"""One app, as WSGI and as ASGI: echoes a body, or says what it was asked."""
import hashlib


def _facts(method, mount, path, query):
    return "\n".join([method, mount, path, query]).encode("latin-1")


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"]
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("X-Mark", "a"), ("X-Mark", "b")])
    if path.endswith("/echo"):
        size = 131072 if path.endswith("/large/echo") else 10000
        return iter(lambda: body.read(size), b"")
    if path.endswith("/digest"):
        data = body.read()
        return [("%d %s" % (len(data), hashlib.sha256(data).hexdigest())).encode()]
    return [_facts(environ["REQUEST_METHOD"], environ["SCRIPT_NAME"], path, environ["QUERY_STRING"])]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    root = scope["root_path"]
    path = scope["path"][len(root) :]
    headers = [(b"content-type", b"application/octet-stream"), (b"x-mark", b"a"), (b"x-mark", b"b")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path.endswith("/echo") or path.endswith("/digest"):
        found = hashlib.sha256()
        size = 0
        more = True
        while more:
            event = await receive()
            more = event["more_body"]
            found.update(event["body"])
            size += len(event["body"])
            if path.endswith("/echo"):
                await send({"type": "http.response.body", "body": event["body"], "more_body": True})
        text = "" if path.endswith("/echo") else "%d %s" % (size, found.hexdigest())
        return await send({"type": "http.response.body", "body": text.encode()})
    native = path.encode("utf-8").decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    await send({"type": "http.response.body", "body": _facts(scope["method"], root, native, query)})
