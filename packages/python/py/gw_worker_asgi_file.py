"""Files as answers of an ASGI application: http.response.pathsend and http.response.zerocopysend."""
import os
import stat
import threading

import gw_worker_wire as wire

_LEAST = 65537  # bytes; less is sent sooner than named


async def send_path(cycle, event):
    """A whole file as the body. The gateway opens it itself, so that its bytes do not pass through this process."""
    path = event["path"]
    if not os.path.isabs(path):
        raise ValueError("http.response.pathsend: the path must be absolute")
    if cycle.started is None or cycle.head_sent or cycle.body_done:
        raise RuntimeError("unexpected http.response.pathsend")
    loop = cycle.host.loop
    number = await loop.run_in_executor(None, os.open, path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    reader = _Reader(loop, number)
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("%s is no regular file" % path)
        if not (_LEAST <= found.st_size and await _name(cycle, number, found.st_size)):
            await _copy(cycle, reader, 0, found.st_size)
            await cycle.body({"type": "http.response.body"})
    finally:
        reader.close()


async def send_open_file(cycle, event):
    """Bytes of an open file as a part of the body; the file stays open."""
    if cycle.started is None or cycle.body_done:
        raise RuntimeError("unexpected http.response.zerocopysend")
    file = event["file"]
    number = file if isinstance(file, int) else file.fileno()
    await _copy(cycle, _Reader(cycle.host.loop, number), event.get("offset"), event.get("count"))
    if not event.get("more_body", False):
        await cycle.body({"type": "http.response.body"})


async def _name(cycle, number, size):
    """Whether the gateway has taken over an open file; it finds it also when its name is another's by now."""
    status, headers, trailers = cycle.started
    if trailers or status < 200 or status in (204, 304):
        return False
    # As text: they may be longer than 32 bits.
    cycle.host.emit((wire.FILE, cycle.sid, status, headers, "/proc/%d/fd/%d" % (os.getpid(), number), "0", str(size)))
    while cycle.opened is None and not cycle.gone:
        await cycle.wait()
    if cycle.gone:
        raise wire.ClientGone("the client has left")
    if cycle.opened:
        cycle.head_sent = cycle.body_done = cycle.over = True
        cycle.complete()
    return cycle.opened


async def _copy(cycle, reader, first, count):
    """Sends `count` bytes (None: to the end) from `first` on (None: from where the file stands)."""
    while count is None or count > 0:
        data = await reader.read(wire.WINDOW if count is None else min(wire.WINDOW, count), first)
        if not data:
            if count is None:
                return
            raise OSError("a file became shorter while it was sent")
        if first is not None:
            first += len(data)
        if count is not None:
            count -= len(data)
        await cycle.body({"type": "http.response.body", "body": data, "more_body": True})


class _Reader:
    """Reads on threads. Closing waits for a read under way: its descriptor must not become another file's."""

    def __init__(self, loop, number):
        self.loop = loop
        self.number = number
        self.lock = threading.Lock()
        self.reading = None

    async def read(self, count, first):
        self.reading = self.loop.run_in_executor(None, self._read, count, first)
        return await self.reading

    def _read(self, count, first):
        with self.lock:
            if self.number is None:
                return b""
            return os.read(self.number, count) if first is None else os.pread(self.number, count, first)

    def close(self):
        if self.reading is None or (self.reading.done() and not self.reading.cancelled()):
            self._close()
        else:  # cancelled: a thread may still be at it
            self.loop.run_in_executor(None, self._close)

    def _close(self):
        with self.lock:
            os.close(self.number)
            self.number = None
