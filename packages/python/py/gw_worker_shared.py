"""A WSGI worker that several gateway processes use: each connects to its socket, which is descriptor 0.

Descriptor 3 leads to the one that started us, which is told one line: ready, or why not.
"""
import os
import select
import signal
import socket
import struct
import sys
import threading
import traceback
from queue import SimpleQueue

import gw_worker_wire as wire
import gw_worker_wsgi as wsgi

_FAILED_AT = {"import": "the app could not be imported", "factory": "the app's factory failed"}
_PEER = struct.Struct("3i")  # process, user, group (SO_PEERCRED)


def main(name, settings):
    """Serves until the gateway ends it, or is gone."""
    import __main__ as worker

    control = socket.socket(fileno=3)
    listener = _take_listener()
    os.set_inheritable(3, False)
    try:
        app = worker.load(name)
    except worker.LoadError as failure:
        if failure.error is not None:
            traceback.print_exception(type(failure.error), failure.error, failure.error.__traceback__)
        line = "%s: %s" % (_FAILED_AT[failure.stage], failure)
        control.sendall(("failed %s\n" % " ".join(line.split())).encode())
        sys.exit(1)
    settings["files"] = None
    # Whoever is connected has been waited for by now; exit handlers of the app run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    requests = SimpleQueue()
    wsgi.start_threads(settings["threads"], requests)
    control.sendall(b"ready\n")
    ready = (wire.READY, 0, worker.facts("wsgi", "threads" if settings["threads"] > 1 else "inline"))
    while True:
        readable = select.select((listener, control), (), ())[0]
        if control in readable and not _is_alive(control):
            return
        if listener in readable:
            _accept(listener, app, settings, requests, ready)


def _take_listener():
    """What is at descriptor 0, which the app shall find empty."""
    listener = socket.socket(fileno=os.dup(0))
    listener.setblocking(True)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return listener


def _is_alive(control):
    try:
        return bool(control.recv(64))
    except OSError:
        return False


def _accept(listener, app, settings, requests, ready):
    sock = listener.accept()[0]
    sock.setblocking(True)
    if not _is_ours(sock):
        sock.close()
        return
    wire.widen(sock)

    def serve():
        try:
            sock.sendall(b"".join(wire.encode([ready])))
            wsgi.ThreadHost(sock, app, settings, requests).serve()
        except ConnectionError:
            pass
        finally:
            sock.close()

    threading.Thread(target=serve, name="gw-link", daemon=True).start()


def _is_ours(sock):
    """Whether the other side runs as our user, or as root: marshal is not safe against anybody else."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the directory of the socket is closed to others
    user = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]
    return user in (0, os.getuid())
