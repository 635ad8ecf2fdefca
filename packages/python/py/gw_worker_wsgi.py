"""Runs a WSGI application (PEP 3333): in one thread, or a reader and a pool of threads."""
import select
import sys
import threading
import time
import traceback
from collections import deque
from queue import SimpleQueue

import gw_worker_wire as wire
from gw_worker_wire import ClientGone

_VERSION = (1, 0)
_GONE = object()
_LAST_WORDS = 5.0  # seconds for threads to finish when we end


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


class FileWrapper:
    """wsgi.file_wrapper: a file in blocks."""

    def __init__(self, filelike, block_size=wire.PIECE):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_size)
        if data:
            return data
        raise StopIteration


class Call:
    """One request."""

    def __init__(self, host, sid):
        self.host = host
        self.sid = sid
        self.inbox = host.new_inbox()
        self.gone = False
        self.chunks = deque()
        self.credit = wire.WINDOW
        self.status = None
        self.headers = None
        self.length = None
        self.head_sent = False
        self.sent = 0
        self.over = False

    # What comes from the gateway.

    def take(self, message):
        if message is _GONE:
            self.gone = True
        elif type(message) is int:
            self.credit += message
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

    def early_hints(self, headers):
        """wsgi.early_hints (gunicorn, Puma): a 103 head before the answer."""
        if not self.head_sent:
            self.host.emit((wire.EARLY, self.sid, list(headers)), True)


class Host:
    """What both ways of running share: one request from its frame to its end."""

    multithread = False

    def __init__(self, sock, app, settings):
        self.sock = sock
        self.app = app
        self.decoder = wire.Decoder()
        self.calls = {}
        self.multiprocess = settings["workers"] > 1
        self.files = settings["files"]
        self.modules = 0

    def watch(self):
        """Tells the gateway which files the app has, and again when it has imported more."""
        if self.files is not None and len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            self.emit((wire.FILES, 0, self.files()), True)

    def run(self, frame, call):
        _, sid, environ, data, more, has_hints = frame
        environ["wsgi.version"] = _VERSION
        environ["wsgi.url_scheme"] = environ["REQUEST_SCHEME"]
        environ["wsgi.input"] = Input(call, data, more)
        environ["wsgi.errors"] = sys.stderr
        environ["wsgi.multithread"] = self.multithread
        environ["wsgi.multiprocess"] = self.multiprocess
        environ["wsgi.run_once"] = False
        environ["wsgi.input_terminated"] = True
        environ["wsgi.file_wrapper"] = FileWrapper
        if has_hints:
            environ["wsgi.early_hints"] = call.early_hints
        line = "%s %s" % (environ["REQUEST_METHOD"], environ["REQUEST_URI"])
        try:
            self.answer(environ, call)
        except ClientGone:
            pass
        except BaseException as error:
            self.fail(call, error, line)
            if not isinstance(error, (Exception, SystemExit)):
                raise
        finally:
            self.calls.pop(sid, None)

    def answer(self, environ, call):
        result = self.app(environ, call.start_response)
        try:
            if type(result) is list and len(result) == 1 and not call.head_sent and type(result[0]) is bytes:
                call.finish(_fit(result[0], call.length))
                return
            for data in result:
                if call.gone:
                    return
                call.write(data)
                if call.over:
                    return
                self.poll(call)
            call.finish()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def fail(self, call, error, line):
        sys.stderr.write("Exception in %s\n" % line)
        traceback.print_exception(type(error), error, error.__traceback__)
        sys.stderr.flush()
        if not call.over or call.status is None:
            call.over = True
            self.emit((wire.FAIL, call.sid, "%s: %s" % (type(error).__name__, error)), True)

    def dispatch(self, frame):
        """One frame; False when no more follow."""
        op = frame[0]
        if op == wire.REQUEST:
            call = self.calls[frame[1]] = Call(self, frame[1])
            self.accept(frame, call)
        elif op == wire.PING:
            self.emit((wire.PONG, 0), True)
        elif op == wire.DRAIN:
            return False
        else:
            call = self.calls.get(frame[1])
            if call is not None:
                self.deliver(call, op, frame)
        return True

    def deliver(self, call, op, frame):
        if op == wire.BODY:
            self.put(call, (frame[2], frame[3]))
        elif op == wire.CREDIT_IN:
            self.put(call, frame[2])
        elif op == wire.GONE:
            call.gone = True
            self.put(call, _GONE)

    def read(self):
        try:
            return self.sock.recv(262144)
        except ConnectionError:
            return b""

    def send(self, frames):
        pieces = wire.encode(frames)
        try:
            self.sock.sendall(pieces[0] + pieces[1] if len(pieces) == 2 and len(pieces[1]) < 65536 else b"".join(pieces))
        except ConnectionError:
            pass  # the reader sees it, too, and ends us


def _fit(data, length):
    return data if length is None or len(data) <= length else data[:length]


class InlineHost(Host):
    """One thread: reads a batch, runs all of it, writes a batch. For apps that are not thread-safe."""

    def __init__(self, sock, app, settings):
        super().__init__(sock, app, settings)
        self.requests = deque()
        self.out = []
        self.out_since = 0.0
        self.open = True

    def new_inbox(self):
        return None

    def serve(self):
        while True:
            if self.requests:
                frame, call = self.requests.popleft()
                if not call.gone:
                    self.run(frame, call)
            else:
                self.flush()
                if not self.open:
                    return
                self.watch()
                self.pump()

    def accept(self, frame, call):
        self.requests.append((frame, call))

    def emit(self, frame, now=False):
        out = self.out
        out.append(frame)
        if now or len(out) >= wire.MAX_FRAMES:
            return self.flush()
        moment = time.perf_counter()
        if len(out) == 1:
            self.out_since = moment
        elif moment - self.out_since > wire.MAX_DELAY:
            self.flush()

    def flush(self):
        if self.out:
            out, self.out = self.out, []
            self.send(out)

    def put(self, call, message):
        call.take(message)

    def wait(self, call):
        """Reads on while an app waits; requests that come meanwhile are run later."""
        self.flush()
        if not self.open:
            raise ClientGone("the gateway has left")
        self.pump()

    def poll(self, call):
        """Hears what has come while an app streams: that its client has left."""
        if select.select((self.sock,), (), (), 0)[0]:
            self.pump()

    def pump(self):
        data = self.read()
        if not data:
            self.open = False
            for call in self.calls.values():
                call.gone = True
        for frame in self.decoder.feed(data) if data else ():
            if not self.dispatch(frame):
                self.open = False


class ThreadHost(Host):
    """The main thread reads, others run the app; whoever has the lock writes for all."""

    multithread = True

    def __init__(self, sock, app, settings):
        super().__init__(sock, app, settings)
        self.requests = SimpleQueue()
        self.out = deque()
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self.work, name="gw-%d" % (number + 1), daemon=True)
            for number in range(settings["threads"])
        ]

    def new_inbox(self):
        return SimpleQueue()

    def serve(self):
        self.watch()
        for thread in self.threads:
            thread.start()
        feed = self.decoder.feed
        is_open = True
        while is_open:
            data = self.read()
            if not data:
                break
            for frame in feed(data):
                if not self.dispatch(frame):
                    is_open = False
            self.watch()
        for call in list(self.calls.values()):
            call.gone = True
            call.inbox.put(_GONE)
        self.end()

    def end(self):
        for _ in self.threads:
            self.requests.put(None)
        deadline = time.monotonic() + _LAST_WORDS
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def work(self):
        get = self.requests.get
        while True:
            item = get()
            if item is None:
                return
            frame, call = item
            if call.gone:
                self.calls.pop(call.sid, None)
                continue
            self.run(frame, call)

    def accept(self, frame, call):
        self.requests.put((frame, call))

    def emit(self, frame, now=False):
        out = self.out
        out.append(frame)
        # Whoever appends while the lock is held is written for by its holder, who looks again after letting go.
        while out and self.lock.acquire(False):
            try:
                frames = []
                try:
                    while True:
                        frames.append(out.popleft())
                except IndexError:
                    pass
                if frames:
                    self.send(frames)
            finally:
                self.lock.release()

    def put(self, call, message):
        call.inbox.put(message)

    def wait(self, call):
        call.take(call.inbox.get())

    def poll(self, call):
        inbox = call.inbox
        while not inbox.empty():
            call.take(inbox.get())


def serve(sock, app, settings):
    """Serves until the gateway ends it."""
    host = InlineHost if settings["threads"] == 1 else ThreadHost
    host(sock, app, settings).serve()
