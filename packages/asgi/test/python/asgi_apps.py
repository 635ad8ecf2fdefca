"""ASGI apps that the tests run."""
import asyncio
import os
import time


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [[b"content-type", b"text/plain"]]})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


async def show(scope, receive, send):
    """Every key and value of the scope, one per line."""
    lines = "\n".join("%s=%r" % (name, scope[name]) for name in sorted(scope))
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": lines.encode("utf-8", "backslashreplace")})


async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        event = await receive()
        more = event.get("more_body", False)
        await send({"type": "http.response.body", "body": event["body"], "more_body": True})
    await send({"type": "http.response.body"})


async def count(scope, receive, send):
    total = 0
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        total += len(event["body"])
        more = event["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": str(total).encode()})


async def large(scope, receive, send):
    size = int(scope["query_string"])
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
    buffer = bytearray(b"y" * 1000)
    await send({"type": "http.response.body", "body": buffer, "more_body": True})
    buffer[:] = b"?" * 1000
    await send({"type": "http.response.body", "body": b""})


async def endless(scope, receive, send):
    path = scope["query_string"].decode()
    sent = 0
    await send({"type": "http.response.start", "status": 200})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"z" * 10000, "more_body": True})
            sent += 10000
    except OSError:
        with open(path, "w") as file:
            file.write("%s" % sent)
        raise


async def waits(scope, receive, send):
    """Waits for the client to leave, and writes down that it has."""
    event = await receive()
    event = await receive()
    with open(scope["query_string"].decode(), "w") as file:
        file.write(event["type"])


async def stubborn(scope, receive, send):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        with open(scope["query_string"].decode(), "w") as file:
            file.write("cancelled")
        raise


async def misuse(scope, receive, send):
    case = scope["query_string"].decode()
    if case == "raise":
        raise ValueError("secret of the app")
    if case == "return":
        return
    if case == "body-first":
        await send({"type": "http.response.body", "body": b""})
    if case == "unknown":
        await send({"type": "http.response.push"})
    headers = [(b"a\r\n", b"b")] if case == "header" else [(b"connection", b"close")] if case == "hop" else []
    if case == "keep-alive":  # as libraries for server-sent events have it
        headers = [(b"connection", b"keep-alive"), (b"transfer-encoding", b"chunked"), (b"x-a", b"b")]
    if case == "status":
        from http import HTTPStatus

        return await _short(send, HTTPStatus.CREATED)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if case == "twice":
        await send({"type": "http.response.start", "status": 200})
    if case == "unfinished":
        return
    await send({"type": "http.response.body", "body": b"some", "more_body": case == "cut"})
    if case == "cut":
        raise ValueError("secret of the app")


async def _short(send, status):
    await send({"type": "http.response.start", "status": status})
    await send({"type": "http.response.body"})


async def trailers(scope, receive, send):
    await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
    await send({"type": "http.response.start", "status": 200, "trailers": True})
    await send({"type": "http.response.body", "body": b"body"})
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"4")]})


async def trailers_in_two(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "trailers": True})
    await send({"type": "http.response.body", "body": b"body"})
    await send({"type": "http.response.trailers", "headers": [(b"x-a", b"1")], "more_trailers": True})
    await send({"type": "http.response.trailers", "headers": [(b"x-b", b"2")]})


async def files(scope, receive, send):
    """Sends the file that the query names: /path whole, /part its middle between brackets, /rest from where it stands."""
    if scope["path"] == "/open":  # how many files this process has open
        await send({"type": "http.response.start", "status": 200})
        return await send({"type": "http.response.body", "body": str(len(os.listdir("/proc/self/fd"))).encode()})
    name = scope["query_string"].decode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]})
    if scope["path"] == "/path":
        await send({"type": "http.response.pathsend", "path": name})
        return
    with open(name, "rb") as file:
        if scope["path"] == "/rest":
            os.lseek(file.fileno(), -5, os.SEEK_END)
            return await send({"type": "http.response.zerocopysend", "file": file})
        await send({"type": "http.response.body", "body": b"<", "more_body": True})
        part = {"type": "http.response.zerocopysend", "file": file, "offset": 10, "count": 300000, "more_body": True}
        await send(part)
        await send({"type": "http.response.body", "body": b">"})
        assert file.read(3) == b"000"


async def pid(scope, receive, send):
    if scope["path"] == "/block":
        time.sleep(60)
    if scope["path"] == "/die":
        os.kill(os.getpid(), 9)
    if scope["path"] == "/never":
        await asyncio.sleep(60)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def _lifespan(fail):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                event = await receive()
                if event["type"] == "lifespan.startup":
                    if fail:
                        return await send({"type": "lifespan.startup.failed", "message": "no database"})
                    scope["state"]["ready"] = "yes"
                    await send({"type": "lifespan.startup.complete"})
                else:
                    print("shut down")
                    return await send({"type": "lifespan.shutdown.complete"})
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": scope["state"]["ready"].encode()})

    return app


with_lifespan = _lifespan(False)
fails_to_start = _lifespan(True)


async def socket(scope, receive, send):
    case = scope["path"]
    assert (await receive())["type"] == "websocket.connect"
    if case == "/refuse":
        return await send({"type": "websocket.close"})
    if case == "/die":
        os.kill(os.getpid(), 9)
    if case == "/deny":
        await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"b")]})
        return await send({"type": "websocket.http.response.body", "body": b"who?"})
    if case == "/raise-early":
        raise ValueError("secret of the app")
    offered = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": offered[0] if offered else None, "headers": [(b"x-a", b"b")]})
    if case == "/raise":
        raise ValueError("secret of the app")
    if case == "/close":
        return await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            if scope["query_string"]:
                with open(scope["query_string"].decode(), "w") as file:
                    file.write("%s %s" % (event["code"], event["reason"]))
            return
        if event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})
