"""The apps of the shared cases (conformance/cases) once more, in Python: the same titles, the same checks.

Each runs under wsgiref.validate, unless it breaks the rules on purpose.
"""
import hashlib
import json
import wsgiref.validate

_TEXT = [("Content-Type", "text/plain; charset=utf-8")]
_BYTES = [("Content-Type", "application/octet-stream")]


def _reply(start_response, body, status="200 OK", headers=()):
    data = body if isinstance(body, bytes) else body.encode("utf-8")
    own = [] if any(name.lower() == "content-type" for name, _ in headers) else _TEXT
    start_response(status, own + list(headers))
    return [data]


def _json(start_response, value):
    return _reply(start_response, json.dumps(value), headers=[("Content-Type", "application/json")])


def _chunks(body, size=65536):
    return iter(lambda: body.read(size), b"")


def _strings(environ):
    return {name: value for name, value in environ.items() if isinstance(value, str)}


# status


def statusLine(environ, start_response):
    return _reply(start_response, "body\n", environ["PATH_INFO"][1:] + " Some Reason")


def noContent(environ, start_response):
    start_response(environ["PATH_INFO"][1:] + " None", [("X-Kept", "yes")])
    return []


def emptyBody(environ, start_response):
    return _reply(start_response, b"", headers=[("X-Empty", "yes")])


def head(environ, start_response):
    return _reply(start_response, "method\n", headers=[("X-Method", environ["REQUEST_METHOD"])])


def methods(environ, start_response):
    return _reply(start_response, environ["REQUEST_METHOD"])


def throwBeforeHead(environ, start_response):
    if environ["PATH_INFO"] == "/throw":
        raise ValueError("the secret detail")
    return _reply(start_response, "fine")


def rejection(environ, start_response):
    raise ValueError("the secret detail")


# bodies


def everyByte(environ, start_response):
    start_response("200 OK", list(_BYTES))
    return _chunks(environ["wsgi.input"], 100)


def _digest(environ, start_response):
    found = hashlib.sha256()
    length = 0
    for data in _chunks(environ["wsgi.input"]):
        found.update(data)
        length += len(data)
    return _reply(start_response, "%d %s" % (length, found.hexdigest()))


tenMegabytes = tooLarge = withoutLength = tooLargeWithoutLength = _digest


def lengthIsTold(environ, start_response):
    return _reply(start_response, environ.get("CONTENT_LENGTH") or "0")


def unread(environ, start_response):
    return _reply(start_response, "not read")


def syncIterable(environ, start_response):
    start_response("200 OK", list(_BYTES))
    return [b"one ", b"", b"two ", b"three"]


def asyncIterable(environ, start_response):
    start_response("200 OK", list(_BYTES))
    data = (b"0123456789abcdefghijklmnopqrstuvwxyz\n" * 3000)[:100000]
    return (data[at : at + 999] for at in range(0, len(data), 999))


def tooFewBytes(environ, start_response):
    start_response("200 OK", _BYTES + [("Content-Length", "10")])
    return iter([b"01234"])


def tooManyBytes(environ, start_response):
    start_response("200 OK", _BYTES + [("Content-Length", "5")])
    return (b"01234" for _ in range(10))


def throwAfterHead(environ, start_response):
    if environ["PATH_INFO"] != "/throw":
        return _reply(start_response, "fine")
    start_response("200 OK", list(_BYTES))

    def body():
        yield b"begun"
        raise ValueError("the secret detail")

    return body()


# headers


def setCookies(environ, start_response):
    cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2, c"), ("Set-Cookie", "a=3")]
    return _reply(start_response, "", headers=cookies)


def responseBytes(environ, start_response):
    return _reply(start_response, "", headers=[("X-Bytes", "caf\u00e9 \u00ec\u0095\u0088")])


def requestBytes(environ, start_response):
    return _json(start_response, [ord(char) for char in environ["HTTP_X_BYTES"]])


def repeatedHeader(environ, start_response):
    return _reply(start_response, environ["HTTP_X_LIST"])


def _show_environ(environ, start_response):
    return _json(start_response, _strings(environ))


repeatedCookie = proxyHeader = oddNames = contentVariables = remoteUser = _show_environ


def forgedIdentity(environ, start_response):
    return _json(start_response, {"headers": _strings(environ), "principal": environ.get("REMOTE_USER")})


def injectedHeader(environ, start_response):
    start_response("200 OK", _TEXT + [("X-Ok", "1"), ("X-Bad", "a\r\nX-Injected: yes")])
    return [b"body"]


def hopByHop(environ, start_response):
    start_response("200 OK", _TEXT + [("Transfer-Encoding", "chunked")])
    return [b"body"]


def manyHeaders(environ, start_response):
    fields = [(name[5:].replace("_", "-").lower(), value) for name, value in environ.items() if name[:5] == "HTTP_"]
    return _json(start_response, fields)


# paths


def _show_path(environ, start_response):
    target = environ["REQUEST_URI"]
    mount = environ["SCRIPT_NAME"]
    raw = target.partition("?")[0]
    shown = {"target": target, "mount": mount, "path": environ["PATH_INFO"], "query": environ["QUERY_STRING"], "raw": raw}
    return _json(start_response, shown)


decodedPath = encodedSlash = aboveRoot = nulByte = queryIsRaw = mountEdges = noMatch = textMount = _show_path


def notUtf8(environ, start_response):
    return _json(start_response, [ord(char) for char in environ["PATH_INFO"]])


def scriptName(environ, start_response):
    return _json(start_response, [environ[name] for name in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")])


# pipeline


def layerOrder(environ, start_response):
    return _reply(start_response, environ["HTTP_X_IN"])


def errorInMount(environ, start_response):
    raise ValueError("broken")


def redirecting(environ, start_response):
    return _reply(start_response, b"", "302 Found", [("Location", "/%EC%95%88%EB%85%95?q=1")])


def textIsUtf8(environ, start_response):
    return _reply(start_response, "<p>\uc548\ub155</p>", headers=[("Content-Type", "text/html; charset=utf-8")])


def wsgiFace(environ, start_response):
    body = b"".join(_chunks(environ["wsgi.input"]))
    start_response("201 Created", list(_TEXT))
    return [environ["REQUEST_METHOD"].encode() + b" ", body]


# streams


def earlyHints(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload; as=style")])
    return _reply(start_response, "page")


_BREAK_RULES = ("tooFewBytes", "tooManyBytes", "throwAfterHead", "injectedHeader", "hopByHop")
_APPS = {
    name: found if name in _BREAK_RULES else wsgiref.validate.validator(found)
    for name, found in list(globals().items())
    if callable(found) and not name.startswith("_")
}


def app(environ, start_response):
    """The app of one case; which one is in a variable of the mount."""
    return _APPS[environ["GW_CASE"]](environ, start_response)
