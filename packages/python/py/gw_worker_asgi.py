"""Runs an ASGI application (ASGI 3.0): http, websocket and lifespan on one event loop."""
import asyncio
import sys
import time
import traceback
from collections import deque

import gw_worker_wire as wire
from gw_worker_wire import ClientGone

_VERSIONS = {"version": "3.0", "spec_version": "2.4"}
_NO_BODY = {"type": "http.request", "body": b"", "more_body": False}
_DISCONNECT = {"type": "http.disconnect"}
_REFUSED = b"403 Forbidden\n"
_REFUSED_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"14")]


class Cycle:
    """What requests and sockets have in common: the answer, credit, the end."""

    kind = "http.response"

    def __init__(self, host, sid):
        self.host = host
        self.sid = sid
        self.task = None
        self.gone = False
        self.over = False  # nothing more reaches the wire
        self.started = None  # (status, headers, trailers), held back until the first body event
        self.head_sent = False
        self.body_done = False
        self.credit = wire.WINDOW
        self.can_send = None
        self.something = None  # future of a waiting receive

    def add_credit(self, count):
        self.credit += count
        if self.credit > 0:
            _wake(self.can_send)

    def leave(self):
        """The client is gone."""
        self.gone = True
        self.over = True
        _wake(self.can_send)
        _wake(self.something)
        self.host.grace(self)

    async def room(self):
        while self.credit <= 0 and not self.gone:
            if self.can_send is None or self.can_send.done():
                self.can_send = self.host.loop.create_future()
            await self.can_send
        if self.gone:
            raise ClientGone("the client has left")

    async def wait(self):
        if self.something is None or self.something.done():
            self.something = self.host.loop.create_future()
        await self.something

    def begin(self, event):
        if self.started is not None:
            raise RuntimeError("unexpected %s: the response has started" % event["type"])
        headers = event.get("headers", ())
        status = event["status"]
        self.started = (status, headers if type(headers) is list else list(headers), bool(event.get("trailers", False)))

    async def body(self, event):
        if self.started is None or self.body_done:
            raise RuntimeError("unexpected %s" % event["type"])
        data = event.get("body", b"")
        if type(data) is not bytes:
            data = bytes(data)  # a buffer that the app may use again
        more = event.get("more_body", False)
        status, headers, trailers = self.started
        if not more:
            self.body_done = True
            if not trailers:
                self.over = True
        emit = self.host.emit
        if not self.head_sent:
            self.head_sent = True
            if len(data) <= wire.RAW_FROM:
                if self.over:
                    emit((wire.FULL, self.sid, status, headers, False, data))
                    return self.complete()
                self.credit -= len(data)
                emit((wire.HEAD, self.sid, status, headers, trailers, data))
                data = b""
            else:
                emit((wire.HEAD, self.sid, status, headers, trailers, b""))
        await self.chunks(data)
        if self.over:
            emit((wire.LAST, self.sid, b""))
            self.complete()

    async def chunks(self, data):
        size = len(data)
        if size <= wire.RAW_FROM:
            if self.credit <= 0:
                await self.room()
            if size:
                self.credit -= size
                self.host.emit((wire.CHUNK, self.sid, data))
            return
        view = memoryview(data)
        at = 0
        while at < size:
            if self.credit <= 0:
                await self.room()
            end = min(size, at + self.credit, at + wire.PIECE)
            self.credit -= end - at
            self.host.emit(wire.raw(self.sid, wire.CHUNK, view[at:end]))
            at = end

    def trailers(self, event):
        if not self.body_done or self.started is None or not self.started[2]:
            raise RuntimeError("unexpected %s" % event["type"])
        self.host.emit((wire.TRAILERS, self.sid, list(event.get("headers", ()))))
        if not event.get("more_trailers", False):
            self.over = True
            self.host.emit((wire.LAST, self.sid, b""))
            self.complete()

    def complete(self):
        _wake(self.something)

    def returned(self):
        """The app has returned."""
        if not self.over:
            self.fail("it returned before its response was complete" if self.started else "it returned without a response")

    def fail(self, message):
        if not self.over:
            self.over = True
            self.host.emit((wire.FAIL, self.sid, message))


class HttpCycle(Cycle):
    """One request."""

    def __init__(self, host, sid, data, more):
        super().__init__(host, sid)
        self.first = data
        self.is_read = False
        self.more = more
        self.asked = False
        self.arrived = deque()
        self.taken = 0

    def arrive(self, data, more):
        self.arrived.append((data, more))
        _wake(self.something)

    async def receive(self):
        if not self.is_read:
            if not self.more:
                self.is_read = True
                return {"type": "http.request", "body": self.first, "more_body": False} if self.first else _NO_BODY.copy()
            if not self.asked:
                self.asked = True
                self.host.emit((wire.CREDIT, self.sid, wire.WINDOW))
            while not self.arrived and not self.over and not self.gone:
                await self.wait()
            if self.arrived:
                return self.chunk()
        while not self.over and not self.gone:
            await self.wait()
        return _DISCONNECT.copy()

    def chunk(self):
        data, more = self.arrived.popleft()
        self.taken += len(data)
        if not more:
            self.is_read = True
        elif self.taken >= wire.WINDOW // 2:
            self.host.emit((wire.CREDIT, self.sid, self.taken))
            self.taken = 0
        return {"type": "http.request", "body": data, "more_body": more}

    async def send(self, event):
        if self.gone:
            raise ClientGone("the client has left")
        kind = event["type"]
        if kind == "http.response.body":
            await self.body(event)
        elif kind == "http.response.start":
            self.begin(event)
        elif kind == "http.response.trailers":
            self.trailers(event)
        elif kind == "http.response.early_hint":
            if not self.head_sent:
                self.host.emit((wire.EARLY, self.sid, [(b"link", bytes(link)) for link in event.get("links", ())]))
        else:
            raise RuntimeError("unexpected %s" % kind)


class SocketCycle(Cycle):
    """One WebSocket."""

    kind = "websocket.http.response"

    def __init__(self, host, sid):
        super().__init__(host, sid)
        self.state = "connecting"
        self.is_told = False
        self.messages = deque()
        self.close_event = None
        self.taken = 0

    def arrive(self, data, is_text):
        self.messages.append((data, is_text))
        _wake(self.something)

    def closed(self, code, reason):
        self.close_event = {"type": "websocket.disconnect", "code": code, "reason": reason}
        self.leave()

    async def receive(self):
        if not self.is_told:
            self.is_told = True
            return {"type": "websocket.connect"}
        while not self.messages and not self.gone and not self.over:
            await self.wait()
        if self.messages:
            data, is_text = self.messages.popleft()
            self.take(len(data))
            if is_text:
                return {"type": "websocket.receive", "text": data.decode("utf-8", "replace"), "bytes": None}
            return {"type": "websocket.receive", "bytes": data, "text": None}
        return self.close_event or {"type": "websocket.disconnect", "code": 1006, "reason": ""}

    def take(self, count):
        self.taken += count
        if self.taken >= wire.WINDOW // 4:
            self.host.emit((wire.CREDIT, self.sid, self.taken))
            self.taken = 0

    async def send(self, event):
        if self.gone:
            raise ClientGone("the client has left")
        kind = event["type"]
        if kind == "websocket.send":
            await self.message(event)
        elif kind == "websocket.accept":
            self.require("connecting", kind)
            self.state = "open"
            self.host.emit((wire.ACCEPT, self.sid, event.get("subprotocol"), list(event.get("headers", ()))))
        elif kind == "websocket.close":
            self.close(event)
        elif kind == "websocket.http.response.start":
            self.require("connecting", kind)
            self.begin(event)
            self.state = "refused"
        elif kind == "websocket.http.response.body":
            self.require("refused", kind)
            await self.body(event)
        else:
            raise RuntimeError("unexpected %s" % kind)

    def require(self, state, kind):
        if self.state != state:
            raise RuntimeError("unexpected %s: the socket is %s" % (kind, self.state))

    async def message(self, event):
        self.require("open", "websocket.send")
        data = event.get("bytes")
        if data is None:
            data = event["text"]
            size = len(data)
            if size and not data.isascii():
                size = len(data.encode("utf-8", "surrogatepass"))
        else:
            data = bytes(data)
            size = len(data)
        if self.credit <= 0:
            await self.room()
        self.credit -= size
        self.host.emit((wire.MESSAGE, self.sid, data))

    def close(self, event):
        if self.state == "connecting":
            self.state = "refused"
            self.over = True
            self.host.emit((wire.FULL, self.sid, 403, _REFUSED_HEADERS, False, _REFUSED))
            return self.complete()
        self.require("open", "websocket.close")
        self.state = "closing"
        self.over = True
        self.host.emit((wire.CLOSE, self.sid, event.get("code", 1000), event.get("reason") or ""))

    def returned(self):
        if self.state == "open":
            self.close({})
        elif not self.over:
            super().returned()


class Lifespan:
    """The app's start and stop."""

    def __init__(self, app, mode):
        self.app = app
        self.mode = mode
        self.state = {}
        self.events = asyncio.Queue()
        self.task = None
        self.answer = None
        self.is_on = False

    async def start(self):
        """None, or the reason why the app cannot serve."""
        if self.mode == "off":
            return None
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        loop = asyncio.get_running_loop()
        self.answer = loop.create_future()
        self.task = loop.create_task(self.run(scope))
        return await self.ask("lifespan.startup")

    async def stop(self):
        if self.is_on and not self.task.done():
            self.answer = asyncio.get_running_loop().create_future()
            reason = await self.ask("lifespan.shutdown")
            if reason is not None:
                sys.stderr.write("lifespan shutdown failed: %s\n" % reason)
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def ask(self, kind):
        self.events.put_nowait({"type": kind})
        return await self.answer

    async def run(self, scope):
        try:
            await self.app(scope, self.events.get, self.send)
            error = None
        except asyncio.CancelledError:
            raise
        except BaseException as caught:
            error = caught
        if self.answer.done():
            if error is not None:
                traceback.print_exception(type(error), error, error.__traceback__)
            return
        if self.mode == "on" or self.is_on:
            if error is not None:
                traceback.print_exception(type(error), error, error.__traceback__)
            reason = "%s: %s" % (type(error).__name__, error) if error else "it returned before it was asked to"
            return self.settle(None if self.is_on and error is None else reason)
        self.settle(None)  # no lifespan support

    async def send(self, event):
        kind = event["type"]
        if kind == "lifespan.startup.complete":
            self.is_on = True
            self.settle(None)
        elif kind == "lifespan.shutdown.complete":
            self.settle(None)
        elif kind in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            self.settle(event.get("message") or kind)
        # The five-line app answers every scope like a request; that is no life, and no error.

    def settle(self, reason):
        if not self.answer.done():
            self.answer.set_result(reason)


class AsgiHost(asyncio.Protocol):
    """The connection to the gateway."""

    def __init__(self, app, settings, loop, state):
        self.app = app
        self.loop = loop
        self.state = state
        self.grace_seconds = settings["grace"]
        self.files = settings["files"]
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

    def connection_lost(self, error):
        for cycle in list(self.cycles.values()):
            cycle.leave()
        _wake(self.ended)

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
                _wake(self.ended)
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
        self.start(HttpCycle(self, sid, data, more), scope)

    def socket(self, frame):
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
            if not cycle.gone or not isinstance(error, OSError):
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
                self.transport.write(b"".join(wire.encode(out)))


def _wake(future):
    if future is not None and not future.done():
        future.set_result(None)


async def _serve(sock, app, settings, facts, report):
    loop = asyncio.get_running_loop()
    lifespan = Lifespan(app, settings["lifespan"])
    try:
        reason = await lifespan.start()
    except asyncio.CancelledError:
        reason = "it was cancelled"
    if reason is not None:
        report(sock, "lifespan", reason)
    sock.setblocking(False)
    host = AsgiHost(app, settings, loop, lifespan.state)
    await loop.create_connection(lambda: host, sock=sock)
    host.watch()
    host.emit((wire.READY, 0, facts("asgi", type(loop).__module__.split(".")[0])))
    await host.ended
    # Background work of answered requests may finish; what has lost its gateway is cancelled after the grace time.
    if host.tasks:
        await asyncio.wait(list(host.tasks), timeout=settings["grace"])
    for task in list(host.tasks):
        task.cancel()
    if host.tasks:
        await asyncio.gather(*list(host.tasks), return_exceptions=True)
    host.flush()
    await lifespan.stop()


def serve(sock, app, settings, facts, report):
    """Serves until the gateway ends it."""
    try:
        import uvloop

        loop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(sock, app, settings, facts, report))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
