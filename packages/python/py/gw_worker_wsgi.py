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
from gw_worker_wsgi_call import GONE, OPENED, REFUSED, Call, Input
from gw_worker_wsgi_file import FileWrapper

_VERSION = (1, 0)
_LAST_WORDS = 5.0  # seconds for threads to finish when we end


class Host:
    """What both ways of running share: one request from its frame to its end."""

    multithread = False

    def __init__(self, sock, app, settings):
        self.sock = sock
        self.app = app
        self.decoder = wire.Decoder()
        self.calls = {}
        self.multiprocess = settings["workers"] > 1 or settings["siblings"]
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
            blocks = _blocks(result)
            if blocks is not None and not call.head_sent:
                data = _joined(blocks)
                if data is not None:
                    call.finish(_fit(data, call.length))
                    return
            if type(result) is FileWrapper and call.send_file(result):
                return
            for data in result if blocks is None else blocks:
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
            self.put(call, GONE)
        elif op == wire.OPENED:
            self.put(call, OPENED if frame[2] else REFUSED)

    def read(self):
        try:
            return self.sock.recv(262144)
        except ConnectionError:
            return b""

    def send(self, frames):
        try:
            wire.send(self.sock, wire.encode(frames))
        except ConnectionError:
            pass  # the reader sees it, too, and ends us


def _blocks(result):
    """The blocks of an answer that are there already; None where walking it is what makes them."""
    if type(result) is list or type(result) is tuple:
        return result
    # So Django tells an answer that it has in memory from one that it makes block by block.
    return list(result) if getattr(result, "streaming", None) is False else None


def _joined(blocks):
    """Blocks as one piece; None where that would be a long copy, or they are not what they should be."""
    if len(blocks) == 1 and type(blocks[0]) is bytes:
        return blocks[0]
    size = 0
    for data in blocks:
        if not isinstance(data, bytes):
            return None
        size += len(data)
    return b"".join(blocks) if size <= wire.BLOCK else None


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

    def __init__(self, sock, app, settings, requests=None):
        super().__init__(sock, app, settings)
        self.multithread = settings["threads"] > 1
        self.out = deque()
        self.lock = threading.Lock()
        self.threads = []
        self.requests = requests
        if requests is None:
            self.requests = SimpleQueue()
            self.threads = start_threads(settings["threads"], self.requests)

    def new_inbox(self):
        return SimpleQueue()

    def serve(self):
        self.watch()
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
            call.inbox.put(GONE)
        self.end()

    def end(self):
        for _ in self.threads:
            self.requests.put(None)
        deadline = time.monotonic() + _LAST_WORDS
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))

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


def start_threads(count, requests):
    """Threads that run the requests of a queue, whichever link they came over."""
    threads = [
        threading.Thread(target=_work, args=(requests.get,), name="gw-%d" % (number + 1), daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def _work(get):
    while True:
        item = get()
        if item is None:
            return
        frame, call = item
        if call.gone:
            call.host.calls.pop(call.sid, None)
            continue
        call.host.run(frame, call)


def serve(sock, app, settings):
    """Serves until the gateway ends it."""
    host = InlineHost if settings["threads"] == 1 else ThreadHost
    host(sock, app, settings).serve()
