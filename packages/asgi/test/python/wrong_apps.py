"""An ASGI app that sends what the query says, in Python's words: for tests of what no app should send."""
import asyncio
import os
from urllib.parse import unquote

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"ok"}
TRAILING = {"type": "http.response.start", "status": 200, "trailers": True}
ACCEPT = {"type": "websocket.accept"}
DENY = {"type": "websocket.http.response.start", "status": 403}


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


_released = None


async def _hold(send):
    """An answer whose end comes when somebody asks for /release: whoever breaks the worker breaks this one."""
    global _released
    _released = asyncio.Event()
    await send(START)
    await send({**END, "body": b"%d " % os.getpid(), "more_body": True})
    await _released.wait()
    await send({**END, "body": b"%d" % os.getpid()})


async def app(scope, receive, send):
    if scope["path"] == "/hold":
        return await _hold(send)
    if scope["path"] == "/release":
        _released.set()
    if scope["type"] == "websocket":
        await receive()
    for event in eval(unquote(scope["query_string"].decode())):
        await send(event)


async def overlooks(scope, receive, send):
    """Goes on after the disconnect, in loops that nothing else interrupts."""
    if scope["path"] == "/ping":
        await send(START)
        return await send(END)
    await send(START)
    await send({**END, "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    while True:
        try:
            await (receive() if scope["path"] == "/receive" else send({**END, "more_body": True}))
        except OSError:
            pass


async def unsent(scope, receive, send):
    """A body in parts that an answer to HEAD, or a 204, does not have: with an end or without; and work after it."""
    path = scope["query_string"].decode()
    await send({**START, "status": 204 if scope["path"] == "/none" else 200})
    try:
        for number in range(3 if scope["path"] != "/endless" else 10**9):
            await send({**END, "more_body": True})
            if number < 3:
                await asyncio.sleep(0.03)
        await send(END)
        await asyncio.sleep(0.15)
        end = "ran to its end"
    except OSError:
        end = "was given up"
    with open(path, "a") as file:
        file.write(end)


async def streams(scope, receive, send):
    """Sends for as long as somebody listens, and wraps what it is told then as Starlette does."""
    await send(START)
    if scope["path"] == "/ping":
        return await send(END)
    try:
        while True:
            await send({**END, "more_body": True})
            await asyncio.sleep(0.01)
    except OSError:
        raise Exception("wrapped")


_sent = 0


async def floods(scope, receive, send):
    """Sockets that never read, or never stop sending; a request is told how many messages that came to."""
    global _sent
    if scope["type"] == "http":
        await send(START)
        return await send({**END, "body": b"%d" % _sent})
    await receive()
    await send(ACCEPT)
    if scope["path"] == "/deaf":
        await asyncio.sleep(60)
    while True:
        await send({"type": "websocket.send", "bytes": b""})
        _sent += 1
        if _sent % 1000 == 0:
            await asyncio.sleep(0)
