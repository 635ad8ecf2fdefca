"""One WebSocket of an ASGI application."""
from collections import deque

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
        self.is_told = False
        self.messages = deque()
        self.close_event = None
        self.taken = 0

    def arrive(self, data, is_text):
        self.messages.append((data, is_text))
        wake(self.something)

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
