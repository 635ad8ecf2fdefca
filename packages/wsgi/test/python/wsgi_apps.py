"""WSGI apps that the tests run."""
import gzip
import itertools
import os
import sys
import tempfile
import time
import wsgiref.validate


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, World!"]


validated_hello = wsgiref.validate.validator(hello)


def environ_text(environ, start_response):
    """Every key and value of the environ, one per line."""
    lines = ["%s=%r" % (name, environ[name]) for name in sorted(environ)]
    data = "\n".join(lines).encode("utf-8")
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [data]


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    body = environ["wsgi.input"]
    return iter(lambda: body.read(10000), b"")


def _echo_whole(environ, start_response):
    size = environ.get("CONTENT_LENGTH")
    data = environ["wsgi.input"].read(int(size) if size else 0)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))])
    return [data]


validated_echo = wsgiref.validate.validator(_echo_whole)


def lines(environ, start_response):
    body = environ["wsgi.input"]
    found = [body.readline(), body.readline(3), body.readline(), *body.readlines(), body.read(), body.readline()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(found).encode()]


def count(environ, start_response):
    total = 0
    while True:
        data = environ["wsgi.input"].read(65536)
        if not data:
            break
        total += len(data)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(total).encode()]


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"one ")
    write(b"two ")
    return [b"three"]


def large(environ, start_response):
    size = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (b"x" * 65536 for _ in range(size // 65536))


def one_piece(environ, start_response):
    size = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return [b"y" * size]


class Tracked:
    """An endless iterable that writes down how it ends."""

    def __init__(self, path):
        self.path = path

    def __iter__(self):
        while True:
            yield b"z" * 1000
            time.sleep(0.001)

    def close(self):
        with open(self.path, "a") as file:
            file.write("closed\n")


def endless(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Tracked(environ["QUERY_STRING"])


def fails(environ, start_response):
    where = environ["QUERY_STRING"]
    if where == "before":
        raise ValueError("secret of the app")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if where == "started":
        raise ValueError("secret of the app")

    def body():
        yield b"some "
        raise ValueError("secret of the app")

    return body()


def replaced(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise ValueError("no")
    except ValueError:
        start_response("500 Oops", [("Content-Type", "text/x-error")], sys.exc_info())
    return [b"replaced"]


def too_late(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"some")
    try:
        raise ValueError("no")
    except ValueError:
        start_response("500 Oops", [("Content-Type", "text/x-error")], sys.exc_info())
    return [b"never"]


def misuse(environ, start_response):
    case = environ["QUERY_STRING"]
    if case == "twice":
        start_response("200 OK", [])
        start_response("200 OK", [])
    elif case == "no-start":
        return [b"x"]
    elif case == "text":
        start_response("200 OK", [])
        return ["text"]
    elif case == "status":
        start_response("OK", [])
    elif case == "headers":
        start_response("200 OK", {"A": "b"})
    elif case == "value":
        start_response("200 OK", [("A", 1)])
    elif case == "newline":
        start_response("200 OK", [("A", "b\r\nC: d")])
    elif case == "hop":
        start_response("200 OK", [("Connection", "close")])
    elif case == "short":
        start_response("200 OK", [("Content-Length", "10")])
    elif case == "none":
        start_response("200 OK", [])
        return None
    return [b"x"]


def file(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/x-python")])
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))


def big_file(environ, start_response):
    """?path&first&length: part of a file through file_wrapper; how it was closed is asked of /closed."""
    if environ["PATH_INFO"] == "/closed":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(_Opened.closed).encode()]
    path, first, length = environ["QUERY_STRING"].split("&")
    file = _Opened(path, int(first))
    headers = [("Content-Type", "application/octet-stream")]
    if length:
        headers.append(("Content-Length", length))
    start_response("200 OK", headers)
    return environ["wsgi.file_wrapper"](file.file)


class _Opened:
    closed = 0

    def __init__(self, path, first):
        if path == "tempfile":
            self.file = tempfile.NamedTemporaryFile()
            self.file.write(bytes(range(256)) * 1024)
            os.unlink(self.file.name)
            self.file.delete = False
        elif path.endswith(".gz"):
            self.file = gzip.open(path)
        else:
            self.file = open(path, "rb")
        self.file.seek(first)
        close = self.file.close

        def closing():
            _Opened.closed += 1
            close()

        self.file.close = closing


def hints(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hinted"]


def pid(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def slow(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or "0.01"))
    return pid(environ, start_response)


def loop(environ, start_response):
    if environ["PATH_INFO"] == "/loop":
        print("loops now")
        while True:
            pass
    return pid(environ, start_response)


def suicide(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os.kill(os.getpid(), 9)
    return pid(environ, start_response)


def logs(environ, start_response):
    environ["wsgi.errors"].write("a line of the app\n")
    environ["wsgi.errors"].flush()
    print("printed by the app")
    return hello(environ, start_response)


def create(prefix="made "):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [prefix.encode(), b"by a factory"]

    return app


def slow_import():
    time.sleep(0.3)
    return hello


class Site:
    """An app that is an attribute of something else."""

    @staticmethod
    def app(environ, start_response):
        return hello(environ, start_response)


_made = 0


def counted(environ, start_response):
    """128 MiB, and at /made how many bytes of it were made so far."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/made":
        return [str(_made).encode()]

    def body():
        global _made
        for _ in range(2048):
            _made += 65536
            yield b"x" * 65536

    return body()


_ends = []


class _Ending:
    def __iter__(self):
        while True:
            yield b"z" * 50000

    def close(self):
        _ends.append(1)


def many(environ, start_response):
    """Several of the apps above behind one name, for interpreters that are slow to start."""
    path = environ["PATH_INFO"]
    if path in ("/count", "/large", "/fails", "/loop"):
        return globals()[path[1:]](environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return _Ending() if path == "/tracked" else [str(len(_ends)).encode()]


class _InMemory:
    """An answer as Django makes it: blocks that are there already, and no length."""

    streaming = False

    def __init__(self, blocks, path):
        self.blocks = blocks
        self.path = path

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        with open(self.path, "a") as file:
            file.write("closed\n")


def blocks(environ, start_response):
    kind, _, path = environ["QUERY_STRING"].partition("&")
    start_response("200 OK", [("Content-Type", "text/plain")])
    several = [b"one ", b"two ", b"three"]
    if kind == "memory":
        return _InMemory(several, path)
    return {
        "list": several,
        "tuple": tuple(several),
        "empty": [],
        "generator": (block for block in several),
        "long": [b"x" * 40000, b"y" * 40000],
        "subclass": [type("Bytes", (bytes,), {})(b"one "), b"two"],
        "text": [b"one ", "two"],
    }[kind]


_numbers = itertools.count(1)


def numbered(environ, start_response):
    """Which request this is, of all in the order in which they ended."""
    time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(next(_numbers)).encode()]
