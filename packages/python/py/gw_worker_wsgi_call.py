"""One WSGI request (PEP 3333): what the app reads, what it calls, what it sends."""
import sys
from collections import deque

import gw_worker_wire as wire
from gw_worker_wire import ClientGone

GONE = object()  # in an inbox: the client has left
OPENED, REFUSED = object(), object()  # in an inbox: what became of a file that we named



class Input:
    """wsgi.input: asks the gateway for the body when it is first read, a window ahead at most."""

    def __init__(self, call, data, more):
        self._call = call
        self._data = data
        self._at = 0
        self._more = more
        self._asked = False
        self._taken = 0

    def read(self, size=-1):
        if size is None or size < 0:
            parts = [self._data[self._at :]]
            self._data = b""
            self._at = 0
            while self._fill():
                parts.append(self._data)
                self._data = b""
            return b"".join(parts)
        have = len(self._data) - self._at
        if have >= size:
            return self._slice(self._at + size)
        parts = [self._slice(len(self._data))]
        while have < size and self._fill():
            part = self._slice(min(len(self._data), size - have))
            have += len(part)
            parts.append(part)
        return b"".join(parts)

    def readline(self, size=-1):
        parts = []
        left = sys.maxsize if size is None or size < 0 else size
        while left > 0:
            if self._at == len(self._data) and not self._fill():
                break
            end = self._data.find(b"\n", self._at, min(len(self._data), self._at + left)) + 1
            part = self._slice(end or min(len(self._data), self._at + left))
            parts.append(part)
            left -= len(part)
            if end:
                break
        return b"".join(parts)

    def readlines(self, hint=-1):
        lines = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    def __iter__(self):
        return iter(self.readline, b"")

    def _slice(self, end):
        part = self._data[self._at : end]
        self._at = end
        return part

    def _fill(self):
        """Gets the next chunk; False at the end."""
        while self._more:
            call = self._call
            if not self._asked:
                self._asked = True
                call.host.emit((wire.CREDIT, call.sid, wire.WINDOW), True)
            data, self._more = call.next_chunk()
            self._taken += len(data)
            if self._more and self._taken >= wire.WINDOW // 2:
                call.host.emit((wire.CREDIT, call.sid, self._taken), True)
                self._taken = 0
            if data:
                self._data = data
                self._at = 0
                return True
        return False


class Call:
    """One request."""

    def __init__(self, host, sid):
        self.host = host
        self.sid = sid
        self.inbox = host.new_inbox()
        self.gone = False
        self.chunks = deque()
        self.credit = wire.ANSWER_WINDOW
        self.status = None
        self.headers = None
        self.length = None
        self.head_sent = False
        self.sent = 0
        self.over = False
        self.opened = None

    # What comes from the gateway.

    def take(self, message):
        if message is GONE:
            self.gone = True
        elif type(message) is int:
            self.credit += message
        elif message is OPENED or message is REFUSED:
            self.opened = message
        else:
            self.chunks.append(message)

    def wait(self):
        if self.gone:
            raise ClientGone("the client has left")
        self.host.wait(self)
        if self.gone:
            raise ClientGone("the client has left")

    def next_chunk(self):
        while not self.chunks:
            self.wait()
        return self.chunks.popleft()

    # What the app calls.

    def start_response(self, status, headers, exc_info=None):
        if exc_info:
            try:
                if self.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.status is not None:
            raise AssertionError("start_response was called twice, without exc_info")
        if not isinstance(status, str) or not status[:3].isdigit() or not (status[3:4] == " " or len(status) == 3):
            raise AssertionError("status must be a str of three digits, a space and a reason, found %r" % (status,))
        if not isinstance(headers, list):
            raise AssertionError("headers must be a list of (name, value) tuples, found %s" % type(headers).__name__)
        length = None
        for name, value in headers:
            if type(name) is not str or type(value) is not str:
                if not isinstance(name, str) or not isinstance(value, str):
                    raise AssertionError("header names and values must be str, found %r" % ((name, value),))
            if len(name) == 14 and name.lower() == "content-length":
                length = value
        self.length = int(length) if length is not None and length.isdigit() else None
        self.status = int(status[:3])
        self.headers = list(headers)
        return self.write

    def write(self, data):
        """The callable that start_response returns; also how we send what the iterable gives."""
        if self.status is None:
            raise AssertionError("the app gave bytes before start_response was called")
        if type(data) is not bytes:
            if not isinstance(data, bytes):
                raise AssertionError("the app must give bytes, found %s" % type(data).__name__)
            data = bytes(data)
        if not data or self.over:
            return
        if self.gone:
            raise ClientGone("the client has left")
        length = self.length
        if length is not None:
            if len(data) >= length - self.sent:
                return self.finish(data[: length - self.sent])
        self.sent += len(data)
        if not self.head_sent:
            self.head_sent = True
            if len(data) <= wire.RAW_FROM:
                self.credit -= len(data)
                return self.host.emit((wire.HEAD, self.sid, self.status, self.headers, False, data), True)
            self.host.emit((wire.HEAD, self.sid, self.status, self.headers, False, b""))
        self.send(data, False)

    def finish(self, data=b""):
        """The end of the answer, with its last bytes."""
        if self.over:
            return
        if self.status is None:
            raise AssertionError("the app gave no head: start_response was not called")
        self.over = True
        self.sent += len(data)
        if self.head_sent:
            return self.send(data, True)
        self.head_sent = True
        if len(data) <= wire.RAW_FROM:
            return self.host.emit((wire.FULL, self.sid, self.status, self.headers, False, data))
        self.host.emit((wire.HEAD, self.sid, self.status, self.headers, False, b""))
        self.send(data, True)

    def send(self, data, last):
        """Sends bytes as the client takes them."""
        size = len(data)
        if size <= wire.RAW_FROM and size <= self.credit:
            self.credit -= size
            op = wire.LAST if last else wire.CHUNK
            return self.host.emit((op, self.sid, data), True)
        view = memoryview(data)
        at = 0
        while at < size:
            self.host.poll(self)
            while self.credit <= 0:
                self.wait()
            end = min(size, at + self.credit, at + wire.PIECE)
            self.credit -= end - at
            is_end = last and end == size
            self.host.emit(wire.raw(self.sid, wire.LAST if is_end else wire.CHUNK, view[at:end]), True)
            at = end

    def send_file(self, wrapper):
        """Names a real file to the gateway, which sends it while we are free again; False: it is sent like any iterable."""
        if self.status is None or self.head_sent or self.status < 200 or self.status in (204, 304):
            return False
        span = wrapper.span(self.length)
        if span is None:
            return False
        self.host.emit((wire.FILE, self.sid, self.status, self.headers, *span), True)
        while self.opened is None:
            self.wait()
        if self.opened is REFUSED:
            return False
        self.head_sent = self.over = True
        return True

    def early_hints(self, headers):
        """wsgi.early_hints (gunicorn, Puma): a 103 head before the answer."""
        if not self.head_sent:
            self.host.emit((wire.EARLY, self.sid, list(headers)), True)
