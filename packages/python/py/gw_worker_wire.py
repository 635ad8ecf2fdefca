"""The byte stream to the gateway: batches of frames in marshal format, large bodies raw between them.

Bytes only ever come from the gateway that started this process, over a private
socket pair: marshal is not safe for anything else. Standard library only.
"""
import marshal
import socket
import struct
import sys

PROTOCOL = 1

# Gateway to worker.
REQUEST, BODY, GONE, CREDIT_IN, SOCKET, MESSAGE_IN, CLOSED, PING, OPENED, DRAIN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
# Worker to gateway.
FULL, HEAD, CHUNK, LAST, CREDIT, FAIL, TRAILERS, FILE, EARLY = 1, 2, 3, 4, 5, 6, 7, 8, 9
ACCEPT, MESSAGE, CLOSE, BUSY = 10, 11, 12, 13
READY, FAILED, PONG, FILES, LIMIT = 20, 21, 22, 23, 24

WINDOW = 262144  # bytes of a request under way
ANSWER_WINDOW = 524288  # bytes of an answer, or of a socket's messages, under way
PIECE = WINDOW  # longest raw frame that we send
MESSAGE_COST = 128  # bytes that a message of a socket counts for beside its own: many small ones fill memory, too
LONGEST_MESSAGE = 33554432  # bytes of one message to a client
LONGEST_BATCH = 67108864  # bytes that the gateway takes at a time
BLOCK = 65536  # what we read of a file at once
RAW_FROM = 32768  # longer bodies go raw
MAX_FRAMES = 8  # frames in a batch before it is sent: the gateway then works beside us, not after us
MAX_DELAY = 0.0002  # seconds the first frame of a batch waits while others are made

RAW = 0x80000000
MORE = 0x100
_MAX_PIECES = 64  # in one sendmsg
_read_u32 = struct.Struct("<I").unpack_from
_read_raw = struct.Struct("<II").unpack_from
_write_u32 = struct.Struct("<I").pack
_write_raw = struct.Struct("<III").pack

if sys.version_info >= (3, 13):

    def _loads(data):
        return marshal.loads(data, allow_code=False)

else:
    _loads = marshal.loads


class ClientGone(ConnectionError):
    """The client has left, or the gateway has given up: nobody waits for the answer."""


class Decoder:
    """Turns chunks into frames. Holds at most one incomplete batch, in pieces that are joined once."""

    def __init__(self):
        self._parts = []
        self._have = 0
        self._need = 4

    def feed(self, data):
        if self._have:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return ()
            data = b"".join(self._parts)
            self._parts = []
            self._have = 0
        frames = []
        at = 0
        size = len(data)
        view = memoryview(data)
        length = 0
        while size - at >= 4:
            (length,) = _read_u32(data, at)
            is_raw = length & RAW
            length &= RAW - 1
            end = at + 4 + length
            if end > size:
                break
            if is_raw:
                sid, op = _read_raw(data, at + 4)
                frames.append((BODY, sid, bytes(view[at + 12 : end]), bool(op & MORE)))
            else:
                # The one C call that decodes a batch of requests.
                frames.extend(_loads(view[at + 4 : end]))
            at = end
        if at < size:
            self._parts = [data[at:]]
            self._have = size - at
            self._need = 4 + length if self._have >= 4 else 4
        return frames


def raw(sid, op, data):
    """A raw frame: CHUNK or LAST with bytes or a memoryview of bytes."""
    return (None, sid, op, data)


def encode(frames):
    """The bytes of frames, as a list of pieces."""
    pieces = []
    run = []
    for frame in frames:
        if frame[0] is not None:
            run.append(frame)
            continue
        if run:
            _encode_run(run, pieces)
            run = []
        _, sid, op, data = frame
        pieces.append(_write_raw(RAW + 8 + len(data), sid, op))
        pieces.append(data)
    if run:
        _encode_run(run, pieces)
    return pieces


def send(sock, pieces):
    """Sends all of what `encode` gave; long bodies are not copied for it."""
    if len(pieces[-1]) > RAW_FROM and len(pieces) <= _MAX_PIECES and hasattr(sock, "sendmsg"):
        sent = sock.sendmsg(pieces)
        for piece in pieces:
            size = len(piece)
            if sent < size:
                sock.sendall(memoryview(piece)[sent:] if sent else piece)
            sent = max(0, sent - size)
    elif len(pieces) == 2:
        sock.sendall(pieces[0] + pieces[1])
    else:
        sock.sendall(b"".join(pieces))


def widen(sock):
    """Room for a whole window in the kernel: a long answer leaves with fewer turns between the two processes."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * WINDOW)
    except OSError:
        pass  # it is slower without


def _encode_run(run, pieces):
    try:
        data = marshal.dumps(run, 2)
    except ValueError:
        # Something in it is not exactly a built-in type: an IntEnum as status, a subclass of str in a header.
        data = marshal.dumps([_plain_frame(frame) for frame in run], 2)
    if len(data) > LONGEST_BATCH:
        return _encode_apart(run, pieces)
    pieces.append(_write_u32(len(data)))
    pieces.append(data)


def _encode_apart(run, pieces):
    """Frames that are too long together; one that is so by itself fails alone."""
    if len(run) == 1:
        run = [(FAIL, run[0][1], "it sent more in one piece than can be carried")]
    for frame in run:
        _encode_run([frame], pieces)


def _plain_frame(frame):
    try:
        return tuple(_plain(value) for value in frame)
    except (TypeError, RecursionError) as error:
        # One bad frame must not take the answers of others with it.
        return (FAIL, frame[1], "cannot send %s" % error)


def _plain(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return "".join(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    raise TypeError("a value of type %s" % type(value).__name__)
