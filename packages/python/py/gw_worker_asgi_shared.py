"""An ASGI worker that several gateway processes use: one event loop, one lifespan, a host for each link."""
import asyncio
import signal

import gw_worker_asgi as asgi
import gw_worker_shared as shared
import gw_worker_wire as wire
from gw_worker_asgi_lifespan import Lifespan

_PAUSE = 0.05  # seconds


class LinkHost(asgi.AsgiHost):
    """One link."""

    def tell(self, frame):
        self.emit(frame)


def main(name, settings):
    """Serves until the gateway ends it, or is gone."""
    supervisor = shared.Supervisor()
    listener = shared.take_listener()
    app = supervisor.load(name)
    settings["files"] = None
    asgi.run(_Links(app, settings, supervisor, listener).serve())


class _Links:
    """The links, from the app's startup to its shutdown."""

    def __init__(self, app, settings, supervisor, listener):
        self.app = app
        self.settings = settings
        self.supervisor = supervisor
        self.listener = listener
        self.lifespan = Lifespan(app, settings["lifespan"])
        self.room = asgi.Room(settings["sockets"])
        self.shares = shared.Shares(1, settings["capacity"])
        self.hosts = {}

    async def serve(self):
        loop = asyncio.get_running_loop()
        reason = await self.lifespan.begin()
        if reason is not None:
            self.supervisor.failed("lifespan", reason)
        for sock in (self.listener, self.supervisor.sock):
            sock.setblocking(False)
        ended = loop.create_future()
        loop.add_signal_handler(signal.SIGTERM, asgi.wake, ended)
        accepting = loop.create_task(self.accept(loop))
        watching = loop.create_task(self.watch(loop, ended))
        self.supervisor.sock.setblocking(True)
        self.supervisor.ready()
        self.supervisor.sock.setblocking(False)
        await ended
        for task in (accepting, watching):
            task.cancel()
        # Whoever is connected has been waited for; what is still here has lost its time.
        for host in self.hosts:
            asgi.wake(host.ended)
        await asyncio.gather(*self.hosts.values(), return_exceptions=True)
        await self.lifespan.stop()

    async def watch(self, loop, ended):
        """Ends us when the one that started us is gone."""
        try:
            while await loop.sock_recv(self.supervisor.sock, 64):
                pass
        except OSError:
            pass
        asgi.wake(ended)

    async def accept(self, loop):
        while True:
            try:
                sock, _ = await loop.sock_accept(self.listener)
            except OSError:
                await asyncio.sleep(_PAUSE)  # no descriptor left, or the other side has left already
                continue
            if not shared.is_ours(sock):
                sock.close()
                continue
            wire.widen(sock)
            host = LinkHost(self.app, self.settings, loop, self.lifespan.state, self.room)
            self.hosts[host] = loop.create_task(self.link(host, sock))

    async def link(self, host, sock):
        import __main__ as worker

        try:
            await host.connect(sock, worker.facts)
            self.shares.join(host)
            await host.finish()
        finally:
            self.shares.leave(host)
            self.hosts.pop(host, None)
            host.close()
