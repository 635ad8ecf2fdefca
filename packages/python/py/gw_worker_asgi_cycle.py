"""One ASGI call: what requests and sockets have in common, and the request."""
import asyncio
from collections import deque

import gw_worker_asgi_check as check
import gw_worker_asgi_file as files
import gw_worker_wire as wire
from gw_worker_wire import ClientGone

_NO_BODY = {"type": "http.request", "body": b"", "more_body": False}
_DISCONNECT = {"type": "http.disconnect"}
_FREE_PARTS = 100  # of a body that is not sent; further ones wait a moment, for whom there is no hurry
_LONGEST_MESSAGE = 2000  # characters of what is told of an error

def wake(future):
    if future is not None and not future.done():
        future.set_result(None)


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
        self.is_head = False
        self.discarded = None  # parts of a body that is not sent
        self.credit = wire.ANSWER_WINDOW
        self.can_send = None
        self.something = None  # future of a waiting receive
        self.is_told = False  # of the disconnect
        self.opened = None  # whether the gateway could open the file that we named
        self.trailing = []

    def add_credit(self, count):
        self.credit += count
        if self.credit > 0:
            wake(self.can_send)

    def vacate(self):
        """What it took room of has it again."""

    def leave(self):
        """The client is gone."""
        self.vacate()
        self.gone = True
        self.over = True
        wake(self.can_send)
        wake(self.something)
        self.host.grace(self)

    def file_opened(self, is_open):
        """What became of the file that we named."""
        self.opened = is_open
        wake(self.something)

    async def room(self):
        while self.credit <= 0 and not self.gone:
            if self.can_send is None or self.can_send.done():
                self.can_send = self.host.loop.create_future()
            await self.can_send
        if self.gone:
            raise ClientGone("the client has left")

    async def breathe(self):
        """Lets the others have a turn: a loop of an app that overlooks the end, once told, must not starve them."""
        if self.is_told:
            await asyncio.sleep(0)
        self.is_told = True

    async def wait(self):
        if self.something is None or self.something.done():
            self.something = self.host.loop.create_future()
        await self.something

    def begin(self, event):
        if self.started is not None:
            raise RuntimeError("unexpected %s: the response has started" % event["type"])
        self.started = (check.status(event), check.fields(event), bool(event.get("trailers", False)))

    async def body(self, event):
        if self.started is None or self.body_done:
            raise RuntimeError("unexpected %s" % event["type"])
        data = event.get("body", b"")
        if type(data) is not bytes:
            data = check.buffer(data)
        more = event.get("more_body", False)
        status, headers, trailers = self.started
        if not more:
            self.body_done = True
            if not trailers:
                self.over = True
        emit = self.host.emit
        if self.discarded is not None:
            return await self.discard()
        if more and not self.head_sent and (self.is_head or status in (204, 304)):
            self.head_sent = True
            self.discarded = 0
            self.host.loop.call_later(self.host.grace_seconds, self.tire)
            return emit((wire.FULL, self.sid, status, headers, False, b""))
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

    async def discard(self):
        """Takes a part of a body that is not sent."""
        self.discarded += 1
        await asyncio.sleep(0 if self.discarded < _FREE_PARTS else 0.001)
        if self.over:
            self.complete()

    def tire(self):
        """A body that is not sent has not ended: without a client it might go on for ever."""
        if not self.body_done:
            self.leave()

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
            end = min(size, at + self.credit)
            self.credit -= end - at
            self.host.emit(wire.raw(self.sid, wire.CHUNK, view[at:end]))
            at = end

    def trailers(self, event):
        if not self.body_done or self.started is None or not self.started[2]:
            raise RuntimeError("unexpected %s" % event["type"])
        self.trailing += check.fields(event)
        if not event.get("more_trailers", False):
            self.over = True
            self.host.emit((wire.TRAILERS, self.sid, self.trailing))
            self.host.emit((wire.LAST, self.sid, b""))
            self.complete()

    def complete(self):
        wake(self.something)

    def returned(self):
        """The app has returned."""
        if not self.over:
            self.fail("it returned before its response was complete" if self.started else "it returned without a response")

    def fail(self, message):
        if not self.over:
            self.over = True
            self.host.emit((wire.FAIL, self.sid, message[:_LONGEST_MESSAGE]))


class HttpCycle(Cycle):
    """One request."""

    def __init__(self, host, sid, data, more, method):
        super().__init__(host, sid)
        self.is_head = method == "HEAD"
        self.first = data
        self.is_read = False
        self.more = more
        self.asked = False
        self.arrived = deque()
        self.taken = 0

    def arrive(self, data, more):
        self.arrived.append((data, more))
        wake(self.something)

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
        await self.breathe()
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
            await self.breathe()
            raise ClientGone("the client has left")
        kind = event["type"]
        if kind == "http.response.body":
            await self.body(event)
        elif kind == "http.response.start":
            self.begin(event)
        elif kind == "http.response.trailers":
            self.trailers(event)
        elif kind == "http.response.early_hint":
            links = check.links(event)
            if links and not self.head_sent:
                self.host.emit((wire.EARLY, self.sid, links))
        elif kind == "http.response.pathsend":
            await files.send_path(self, event)
        elif kind == "http.response.zerocopysend":
            await files.send_open_file(self, event)
        else:
            raise RuntimeError("unexpected %s" % kind)
