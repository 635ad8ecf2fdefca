"""A WSGI worker that several gateway processes use: a thread reads each link, the same threads run the requests of all."""
import select
import signal
import sys
import threading
from queue import SimpleQueue

import gw_worker_shared as shared
import gw_worker_wire as wire
import gw_worker_wsgi as wsgi


class LinkHost(wsgi.ThreadHost):
    """One link."""

    def tell(self, frame):
        """Sends a frame if that blocks nobody: a gateway process that reads no more must not stop the others."""
        if select.select((), (self.sock,), (), 0)[1]:
            self.emit(frame)


def main(name, settings):
    """Serves until the gateway ends it, or is gone."""
    import __main__ as worker

    supervisor = shared.Supervisor()
    listener = shared.take_listener()
    listener.setblocking(True)
    app = supervisor.load(name)
    settings["files"] = None
    # Whoever is connected has been waited for by now; exit handlers of the app run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    requests = SimpleQueue()
    wsgi.start_threads(settings["threads"], requests)
    shares = shared.Shares(settings["threads"], settings["capacity"])
    ready = (wire.READY, 0, worker.facts("wsgi", "threads" if settings["threads"] > 1 else "inline"))

    def serve(sock):
        host = LinkHost(sock, app, settings, requests)
        try:
            sock.sendall(b"".join(wire.encode([ready])))
            shares.join(host)
            host.serve()
        except ConnectionError:
            pass
        finally:
            shares.leave(host)
            sock.close()

    supervisor.ready()
    while True:
        readable = select.select((listener, supervisor.sock), (), ())[0]
        if supervisor.sock in readable and not _is_alive(supervisor.sock):
            return
        if listener in readable:
            sock = listener.accept()[0]
            sock.setblocking(True)
            if not shared.is_ours(sock):
                sock.close()
                continue
            wire.widen(sock)
            threading.Thread(target=serve, args=(sock,), name="gw-link", daemon=True).start()


def _is_alive(sock):
    try:
        return bool(sock.recv(64))
    except OSError:
        return False
