"""A worker process of the gateway: loads one app and serves it over descriptor 3.

Started as `python -u gw_worker.py wsgi|asgi|which module:attribute {settings as JSON}`.
Standard library only; CPython 3.9 and later.
"""
import faulthandler
import importlib
import inspect
import json
import os
import signal
import socket
import sys
import traceback

import gw_worker_wire as wire

_HERE = os.path.dirname(os.path.abspath(__file__))


class LoadError(Exception):
    """The app cannot be had; `stage` says why."""

    def __init__(self, stage, message, error):
        super().__init__(message)
        self.stage = stage
        self.error = error


def load(name):
    """The app of `module:attribute` or `module:factory()`."""
    module_name, _, path = name.partition(":")
    is_factory = path.endswith("()")
    stage = "import"
    try:
        found = importlib.import_module(module_name)
        for part in (path[:-2] if is_factory else path).split("."):
            found = getattr(found, part)
        stage = "factory"
        if is_factory:
            found = found()
    except Exception as error:
        message = "%s: %s" % (type(error).__name__, error)
        if isinstance(error, ModuleNotFoundError):
            message += " (interpreter %s, directory %s)" % (sys.executable, os.getcwd())
        raise LoadError(stage, message, error) from error
    if not callable(found):
        message = "%s is no app: %s is not callable" % (name, type(found).__name__)
        raise LoadError("import", message, None)
    return found


def is_asgi(app):
    """Whether an app is an ASGI 3 application; else it is taken for a WSGI application."""
    call = app if inspect.isroutine(app) else getattr(app, "__call__", app)
    if inspect.isclass(app):
        call = getattr(app, "__await__", None)
        return call is not None
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(app):
        return True
    try:
        names = [one.name for one in inspect.signature(app).parameters.values()]
    except (TypeError, ValueError):
        return False
    return names[:3] == ["scope", "receive", "send"]


def app_files(extra=()):
    """Files of the app: modules that lie in its directory, and not in a virtual environment there."""
    root = os.path.join(os.getcwd(), "")
    found = set(extra)
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path:
            found.add(os.path.abspath(path))
    return sorted(
        path
        for path in found
        if path.startswith(root) and "site-packages" not in path and not path.startswith(_HERE) and path.endswith(".py")
    )


def broken_files(error):
    """Files that a failed import has to do with: its author will change one of them."""
    found = set()
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            found.add(os.path.abspath(error.filename))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            found.add(os.path.abspath(frame.f_code.co_filename))
        error = error.__cause__ or error.__context__
    return found


def facts(kind, loop):
    check = getattr(sys, "_is_gil_enabled", None)
    return {
        "protocol": wire.PROTOCOL,
        "kind": kind,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "implementation": sys.implementation.name,
        "gil": True if check is None else check(),
        "loop": loop,
    }


def send(sock, frame):
    sock.sendall(b"".join(wire.encode([frame])))


def report(sock, stage, message):
    try:
        send(sock, (wire.FAILED, 0, stage, message))
    except OSError:
        pass
    sys.stderr.flush()
    sys.exit(1)


def load_or_report(sock, name, settings):
    """The app; None when it cannot be had, and the gateway was told why."""
    try:
        return load(name)
    except LoadError as failure:
        if failure.error is not None:
            traceback.print_exception(type(failure.error), failure.error, failure.error.__traceback__)
        try:
            if settings["reload"]:
                send(sock, (wire.FILES, 0, app_files(broken_files(failure.error))))
            send(sock, (wire.FAILED, 0, failure.stage, str(failure)))
        except OSError:
            pass
        sys.stderr.flush()
        return None


def prepare():
    # Our own directory must not shadow the app's modules.
    sys.path[:] = [os.getcwd()] + [path for path in sys.path if os.path.abspath(path or ".") != _HERE]
    faulthandler.enable()
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1, all_threads=True, chain=False)
    # Ctrl-C is the gateway's to handle; it tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main():
    kind, name, text = sys.argv[1:4]
    settings = json.loads(text)
    sys.argv[1:] = []
    # Before our directory is taken out of the search path.
    host = importlib.import_module("gw_worker_asgi" if kind == "asgi" else "gw_worker_wsgi")
    shared = importlib.import_module("gw_worker_%s_shared" % kind) if settings.get("shared") else None
    prepare()
    if kind == "which":
        print("asgi" if is_asgi(load(name)) else "wsgi")
        return
    if shared is not None:
        shared.main(name, settings)
        return
    sock = socket.socket(fileno=3)
    os.set_inheritable(3, False)
    wire.widen(sock)
    app = load_or_report(sock, name, settings)
    if app is None:
        sys.exit(1)
    settings["files"] = app_files if settings["reload"] else None
    if kind == "wsgi":
        send(sock, (wire.READY, 0, facts(kind, "threads" if settings["threads"] > 1 else "inline")))
        host.serve(sock, app, settings)
    else:
        host.serve(sock, app, settings, facts, report)


if __name__ == "__main__":
    main()
