"""Runs a WSGI application inside the gateway, on Pyodide: the worker's own host, over a port instead of a socket."""
import json
import signal
import sys

from pyodide.ffi import to_js

import gw_worker as worker
import gw_worker_wire as wire
from gw_worker_wsgi import InlineHost


class PortSocket:
    """As much of a socket as the host needs."""

    def __init__(self, port):
        self._port = port

    def recv(self, size):
        return self._port.take().to_bytes()

    def sendall(self, data):
        self._port.send(to_js(data))

    def has_more(self):
        return self._port.hasMore()


class PortHost(InlineHost):
    """There is no descriptor that select could be asked about."""

    def fail(self, call, error, line):
        # Further interrupts would cut off the traceback; an app that keeps one for itself still gets them.
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        super().fail(call, error, line)

    def poll(self, call):
        if self.sock.has_more():
            self.pump()


def main(port, name, text, folders):
    """Serves until the gateway ends it; the exit code."""
    settings = json.loads(text)
    sock = PortSocket(port)
    # Our own folder, which stands first, must not shadow the app's modules.
    sys.path[:] = [""] + [path for path in sys.path[1:] if path != ""] + list(folders)
    try:
        app = worker.load_or_report(sock, name, settings)
        if app is None:
            return 1
        settings["files"] = worker.app_files if settings["reload"] else None
        worker.send(sock, (wire.READY, 0, worker.facts("wsgi", "wasm")))
        PortHost(sock, app, settings).serve()
    except KeyboardInterrupt:
        # The gateway's answer to a request that hangs; its traceback is in the log already.
        return 1
    return 0
