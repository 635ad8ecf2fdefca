"""What workers have in common that several gateway processes use: each connects to their socket, which is descriptor 0.

Descriptor 3 leads to the one that started us, which is told one line: ready, or why not.
"""
import os
import socket
import struct
import sys
import threading
import traceback

import gw_worker_wire as wire

_FAILED_AT = {
    "import": "the app could not be imported",
    "factory": "the app's factory failed",
    "lifespan": "the app's startup failed",
}
_PEER = struct.Struct("3i")  # process, user, group (SO_PEERCRED)


class Supervisor:
    """The one that started us."""

    def __init__(self):
        self.sock = socket.socket(fileno=3)
        os.set_inheritable(3, False)

    def ready(self):
        self.sock.sendall(b"ready\n")

    def failed(self, stage, message):
        """Says why there is no app, and ends this process."""
        line = "%s: %s" % (_FAILED_AT[stage], message)
        try:
            self.sock.sendall(("failed %s\n" % " ".join(line.split())).encode())
        except OSError:
            pass
        sys.stderr.flush()
        sys.exit(1)

    def load(self, name):
        """The app; when it cannot be had, this process ends."""
        import __main__ as worker

        try:
            return worker.load(name)
        except worker.LoadError as failure:
            if failure.error is not None:
                traceback.print_exception(type(failure.error), failure.error, failure.error.__traceback__)
            return self.failed(failure.stage, failure)


class Shares:
    """How many requests each link may have under way, so that all together are about what the worker takes."""

    def __init__(self, least, capacity):
        self.least = least
        self.capacity = capacity
        self.hosts = []
        self.lock = threading.Lock()

    def join(self, host):
        with self.lock:
            self.hosts.append(host)
            self._tell()

    def leave(self, host):
        with self.lock:
            if host in self.hosts:
                self.hosts.remove(host)
                self._tell()

    def _tell(self):
        # Each may have the least, which keeps all threads busy, when the others are idle.
        count = max(self.least, self.capacity // max(1, len(self.hosts)))
        for host in self.hosts:
            host.tell((wire.LIMIT, 0, count))


def take_listener():
    """What is at descriptor 0, which the app shall find empty."""
    listener = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return listener


def is_ours(sock):
    """Whether the other side runs as our user, or as root: marshal is not safe against anybody else."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the directory of the socket is closed to others
    user = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]
    return user in (0, os.getuid())
