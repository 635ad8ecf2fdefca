"""An app that behaves badly in as many ways as its paths have names. Standard library only."""
import asyncio
import os
import resource

state = {"sent": 0, "received": 0, "left": []}


def _answer(text):
    return [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.body", "body": text.encode()},
    ]


async def _send(send, text):
    for event in _answer(text):
        await send(event)


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await _lifespan(scope, receive, send)
    if scope["type"] == "websocket":
        return await _socket(scope, receive, send)
    path = scope["path"].rpartition("/")[2]
    if path == "pid":
        return await _send(send, str(os.getpid()))
    if path == "state":
        return await _send(send, "%d %d %s" % (state["sent"], state["received"], " ".join(state["left"])))
    if path == "memory":
        with open("/proc/self/statm") as file:
            return await _send(send, str(int(file.read().split()[1]) * resource.getpagesize()))
    if path == "silent":  # never sends
        return await asyncio.sleep(600)
    if path == "die":
        os.kill(os.getpid(), 9)
    await _send(send, "?")


async def _lifespan(scope, receive, send):
    await receive()
    if os.environ.get("HANG") == "startup":
        await asyncio.sleep(600)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if os.environ.get("HANG") == "shutdown":
        await asyncio.sleep(600)
    await send({"type": "lifespan.shutdown.complete"})


async def _socket(scope, receive, send):
    path = scope["path"].rpartition("/")[2]
    await receive()
    if path == "silent":  # never accepts
        return await asyncio.sleep(600)
    await send({"type": "websocket.accept"})
    if path == "deaf":  # never receives
        return await asyncio.sleep(600)
    if path == "chatter":  # never stops
        try:
            while True:
                await send({"type": "websocket.send", "bytes": b"z" * 10000})
                state["sent"] += 10000
        except OSError:
            state["left"].append("chatter")
            raise
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            state["left"].append(str(event["code"]))
            return
        data = event.get("bytes") or (event.get("text") or "").encode()
        state["received"] += len(data)
        if path == "echo":
            await send({"type": "websocket.send", "bytes": data})
