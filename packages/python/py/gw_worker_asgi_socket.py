"""One WebSocket of an ASGI application."""
from collections import deque

import gw_worker_asgi_check as check
import gw_worker_wire as wire
from gw_worker_asgi_cycle import Cycle, wake
from gw_worker_wire import ClientGone

_REFUSED = b"403 Forbidden\n"
_REFUSED_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"14")]


class SocketCycle(Cycle):
    """One WebSocket."""

    kind = "websocket.http.response"

    def __init__(self, host, sid):
        super().__init__(host, sid)
        self.state = "connecting"
        self.is_connect_told = False
        self.has_room = True
        self.messages = deque()
        self.close_event = None
        self.taken = 0

    def vacate(self):
        if self.has_room:
            self.has_room = False
            self.host.room.give_back()

    def arrive(self, data, is_text):
        self.messages.append((data, is_text))
        wake(self.something)

    def closed(self, code, reason):
        self.close_event = {"type": "websocket.disconnect", "code": code, "reason": reason}
        self.leave()

    async def receive(self):
        if not self.is_connect_told:
            self.is_connect_told = True
            return {"type": "websocket.connect"}
        while not self.messages and not self.gone and not self.over:
            await self.wait()
        if self.messages:
            data, is_text = self.messages.popleft()
            self.take(len(data) + wire.MESSAGE_COST)
            if is_text:
                return {"type": "websocket.receive", "text": data.decode("utf-8", "replace"), "bytes": None}
            return {"type": "websocket.receive", "bytes": data, "text": None}
        await self.breathe()
        return self.close_event or {"type": "websocket.disconnect", "code": 1006, "reason": ""}

    def take(self, count):
        self.taken += count
        if self.taken >= wire.WINDOW // 4:
            self.host.emit((wire.CREDIT, self.sid, self.taken))
            self.taken = 0

    async def send(self, event):
        if self.gone:
            await self.breathe()
            raise ClientGone("the client has left")
        kind = event["type"]
        if kind == "websocket.send":
            await self.message(event)
        elif kind == "websocket.accept":
            self.require("connecting", kind)
            accepted = (wire.ACCEPT, self.sid, check.subprotocol(event), check.fields(event))
            self.state = "open"
            self.host.emit(accepted)
        elif kind == "websocket.close":
            self.close(event)
        elif kind == "websocket.http.response.start":
            self.require("connecting", kind)
            self.begin(event)
            self.refused()
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
            if type(data) is not str or not data.isascii():
                data = check.text(event, "text", data)
            size = len(data) if data.isascii() else len(data.encode())
        else:
            data = check.buffer(data)
            size = len(data)
        if size > wire.LONGEST_MESSAGE:
            raise ValueError("websocket.send: a message has %d bytes at most" % wire.LONGEST_MESSAGE)
        if self.credit <= 0:
            await self.room()
        self.credit -= size + wire.MESSAGE_COST
        self.host.emit((wire.MESSAGE, self.sid, data))

    def refused(self):
        self.state = "refused"
        self.vacate()

    def close(self, event):
        code, reason = check.closing(event)
        if self.state == "connecting":
            self.refused()
            self.over = True
            self.host.emit((wire.FULL, self.sid, 403, _REFUSED_HEADERS, False, _REFUSED))
            return self.complete()
        self.require("open", "websocket.close")
        self.state = "closing"
        self.over = True
        self.host.emit((wire.CLOSE, self.sid, code, reason))

    def returned(self):
        if self.state == "open":
            self.close({"type": "websocket.close"})
        elif not self.over:
            super().returned()
