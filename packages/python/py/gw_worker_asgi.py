"""Runs an ASGI application (ASGI 3.0): http, websocket and lifespan on one event loop."""
import asyncio
import sys
import time
import traceback

import gw_worker_wire as wire
from gw_worker_asgi_cycle import HttpCycle, wake
from gw_worker_asgi_lifespan import Lifespan
from gw_worker_asgi_socket import SocketCycle
from gw_worker_wire import ClientGone

_VERSIONS = {"version": "3.0", "spec_version": "2.5"}


class Room:
    """Sockets that may be open, whichever connection to a gateway process they belong to."""

    def __init__(self, count):
        self.left = count

    def take(self):
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def give_back(self):
        self.left += 1


class AsgiHost(asyncio.Protocol):
    """The connection to the gateway."""

    def __init__(self, app, settings, loop, state, room):
        self.app = app
        self.loop = loop
        self.state = state
        self.grace_seconds = settings["grace"]
        self.files = settings["files"]
        self.room = room
        self.modules = 0
        self.decoder = wire.Decoder()
        self.cycles = {}
        self.tasks = set()
        self.out = []
        self.out_since = 0.0
        self.transport = None
        self.ended = loop.create_future()

    def connection_made(self, transport):
        self.transport = transport

    async def connect(self, sock, facts):
        """Takes a connection to the gateway, and tells it who we are."""
        sock.setblocking(False)
        await self.loop.create_connection(lambda: self, sock=sock)
        self.watch()
        self.emit((wire.READY, 0, facts("asgi", type(self.loop).__module__.split(".")[0])))

    async def finish(self):
        """Waits for the gateway's last word, and for what is still under way then."""
        await self.ended
        # Background work of answered requests may finish; what has lost its gateway is cancelled after the grace time.
        if self.tasks:
            await asyncio.wait(list(self.tasks), timeout=self.grace_seconds)
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.gather(*list(self.tasks), return_exceptions=True)
        self.flush()

    def close(self):
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, error):
        for cycle in list(self.cycles.values()):
            cycle.leave()
        wake(self.ended)

    def data_received(self, data):
        for frame in self.decoder.feed(data):
            op = frame[0]
            if op == wire.REQUEST:
                self.request(frame)
            elif op == wire.SOCKET:
                self.socket(frame)
            elif op == wire.PING:
                self.emit((wire.PONG, 0))
                self.flush()
            elif op == wire.DRAIN:
                wake(self.ended)
            else:
                cycle = self.cycles.get(frame[1])
                if cycle is not None:
                    self.deliver(cycle, op, frame)

    def deliver(self, cycle, op, frame):
        if op == wire.BODY or op == wire.MESSAGE_IN:
            cycle.arrive(frame[2], frame[3])
        elif op == wire.CREDIT_IN:
            cycle.add_credit(frame[2])
        elif op == wire.GONE:
            cycle.leave()
        elif op == wire.CLOSED:
            cycle.closed(frame[2], frame[3])
        elif op == wire.OPENED:
            cycle.file_opened(frame[2])

    def request(self, frame):
        _, sid, version, method, scheme, path, raw_path, query, root, headers, client, server, facts, data, more = frame
        scope = {
            "type": "http",
            "asgi": _VERSIONS,
            "http_version": version,
            "method": method,
            "scheme": scheme,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": root,
            "headers": headers,
            "client": client,
            "server": server,
            "state": self.state.copy(),
            "extensions": facts,
        }
        self.start(HttpCycle(self, sid, data, more, method), scope)

    def socket(self, frame):
        if not self.room.take():
            return self.emit((wire.BUSY, frame[1]))
        _, sid, version, scheme, path, raw_path, query, root, headers, client, server, facts, subprotocols = frame
        scope = {
            "type": "websocket",
            "asgi": _VERSIONS,
            "http_version": version,
            "scheme": scheme,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": root,
            "headers": headers,
            "client": client,
            "server": server,
            "subprotocols": subprotocols,
            "state": self.state.copy(),
            "extensions": facts,
        }
        self.start(SocketCycle(self, sid), scope)

    def start(self, cycle, scope):
        self.cycles[cycle.sid] = cycle
        cycle.task = task = self.loop.create_task(self.run(cycle, scope))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, cycle, scope):
        try:
            await self.app(scope, cycle.receive, cycle.send)
            cycle.returned()
        except ClientGone:
            pass
        except asyncio.CancelledError:
            cycle.fail("it was cancelled")
        except BaseException as error:
            if not cycle.gone or not _is_leaving(error):
                sys.stderr.write("Exception in %s %s\n" % (scope.get("method", "WebSocket"), scope["path"]))
                traceback.print_exception(type(error), error, error.__traceback__)
                sys.stderr.flush()
            if isinstance(cycle, SocketCycle) and cycle.state == "open":
                cycle.over = False
            cycle.fail("%s: %s" % (type(error).__name__, error))
            if not isinstance(error, (Exception, SystemExit)):
                raise
        finally:
            self.cycles.pop(cycle.sid, None)
            cycle.vacate()
            if self.files is not None:
                self.watch()

    def grace(self, cycle):
        """A call without a client has this long to notice."""
        task = cycle.task
        if task is not None and not task.done():
            self.loop.call_later(self.grace_seconds, task.cancel)

    def watch(self):
        if self.files is not None and len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            self.emit((wire.FILES, 0, self.files()))

    def emit(self, frame):
        out = self.out
        out.append(frame)
        count = len(out)
        if count >= wire.MAX_FRAMES or (count > 1 and time.perf_counter() - self.out_since > wire.MAX_DELAY):
            return self.flush()
        if count == 1:
            self.out_since = time.perf_counter()
            self.loop.call_soon(self.flush)

    def flush(self):
        if self.out:
            out, self.out = self.out, []
            if not self.transport.is_closing():
                pieces = wire.encode(out)
                if len(pieces) == 2:
                    self.transport.write(b"".join(pieces))
                else:
                    self.transport.writelines(pieces)  # long ones are not copied once more


def _is_leaving(error):
    """Whether this is only what was raised because the client has left, in whatever a framework has wrapped it."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error is not None


async def _serve(sock, app, settings, facts, report):
    loop = asyncio.get_running_loop()
    lifespan = Lifespan(app, settings["lifespan"])
    reason = await lifespan.begin()
    if reason is not None:
        report(sock, "lifespan", reason)
    host = AsgiHost(app, settings, loop, lifespan.state, Room(settings["sockets"]))
    await host.connect(sock, facts)
    await host.finish()
    await lifespan.stop()


def serve(sock, app, settings, facts, report):
    """Serves until the gateway ends it."""
    run(_serve(sock, app, settings, facts, report))


def run(serving):
    """Runs it on the best event loop there is."""
    try:
        import uvloop

        loop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serving)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
