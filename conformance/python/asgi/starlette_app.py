"""A Starlette app with one route per thing that Starlette's own tests look at."""
import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketState

seen = []


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"counter": [0]}


def sync(request):
    return PlainTextResponse("on a thread")


async def echo(request: Request):
    return JSONResponse(
        {
            "method": request.method,
            "url": str(request.url),
            "base": str(request.base_url),
            "query": list(request.query_params.multi_items()),
            "cookies": request.cookies,
            "client": list(request.client),
            "version": request.scope["http_version"],
            "header": request.headers.getlist("x-many"),
            "body": (await request.body()).decode(),
        }
    )


async def count(request: Request):
    request.state.counter[0] += 1
    return JSONResponse(request.state.counter[0])


async def session(request: Request):
    if request.method == "POST":
        request.session.update(await request.json())
    elif request.method == "DELETE":
        request.session.clear()
    return JSONResponse(request.session)


async def background(request: Request):
    async def first():
        await asyncio.sleep(0)
        seen.append("first")

    tasks = BackgroundTasks([BackgroundTask(first), BackgroundTask(lambda: seen.append("second on a thread"))])
    return Response(b"now", background=tasks)


async def failing_background(request: Request):
    async def fail():
        raise RuntimeError("the task failed")

    return Response(b"sent", background=BackgroundTask(fail))


async def upload_until_gone(request: Request):
    try:
        async for _ in request.stream():
            pass
        return Response(b"whole")
    except ClientDisconnect:
        seen.append("client left its upload")
        return Response(b"nobody reads this")


async def watch(request: Request):
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)
    seen.append("watched it leave")
    return Response()


async def cancel_stream(request: Request):
    async def forever():
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.005)
        finally:
            seen.append("stream was ended")

    return StreamingResponse(forever())


async def teapot(request):
    raise HTTPException(418, "short and stout", headers={"x-spout": "yes"})


async def boom(request):
    raise ValueError("secret of the app")


async def cookies(request):
    response = PlainTextResponse("set")
    response.set_cookie("a", "1", max_age=10, path="/x", samesite="strict")
    response.set_cookie("b", "2", secure=True)
    response.delete_cookie("c")
    return response


class Endpoint(HTTPEndpoint):
    async def get(self, request):
        return PlainTextResponse("GET of a class, %s" % request.path_params["name"])


class Echo(WebSocketEndpoint):
    encoding = "json"

    async def on_receive(self, websocket, data):
        await websocket.send_json({"got": data}, mode="binary" if data == "binary" else "text")

    async def on_disconnect(self, websocket, close_code):
        seen.append("disconnect %d" % close_code)


async def iterate(websocket):
    await websocket.accept(subprotocol="wamp" if "wamp" in websocket.scope["subprotocols"] else None, headers=[(b"x-a", b"1")])
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())
    seen.append("iterated to the end, %s" % (websocket.client_state == WebSocketState.DISCONNECTED))


async def deny(websocket):
    await websocket.send_denial_response(JSONResponse({"why": "not today"}, status_code=409, headers={"x-deny": "1"}))


async def close_early(websocket):
    await websocket.close(code=4003)


async def both_ways(websocket):
    """Sends while it receives."""
    await websocket.accept()

    async def ticker():
        for number in range(50):
            await websocket.send_text("tick %d" % number)
            await asyncio.sleep(0)

    task = asyncio.create_task(ticker())
    for _ in range(50):
        await websocket.receive_bytes()
    await task
    await websocket.send_text("end")


def application(static="/tmp"):
    return Starlette(
        lifespan=lifespan,
        middleware=[Middleware(SessionMiddleware, secret_key="of a test")],
        routes=[
            Route("/sync", sync),
            Route("/echo", echo, methods=["GET", "POST", "PUT", "OPTIONS"]),
            Route("/count", count),
            Route("/session", session, methods=["GET", "POST", "DELETE"]),
            Route("/background", background),
            Route("/failing-background", failing_background),
            Route("/upload", upload_until_gone, methods=["POST"]),
            Route("/watch", watch),
            Route("/cancel", cancel_stream),
            Route("/teapot", teapot),
            Route("/boom", boom),
            Route("/cookies", cookies),
            Route("/redirect", lambda request: RedirectResponse(request.url_for("count"), status_code=303)),
            Route("/file", lambda request: FileResponse(request.query_params["path"])),
            Route("/seen", lambda request: JSONResponse(seen)),
            Route("/class/{name}", Endpoint),
            WebSocketRoute("/ws", Echo),
            WebSocketRoute("/iterate", iterate),
            WebSocketRoute("/deny", deny),
            WebSocketRoute("/close", close_early),
            WebSocketRoute("/both", both_ways),
            Mount("/static", StaticFiles(directory=static, check_dir=False)),
            Host("api.example.org", Router([Route("/", lambda request: PlainTextResponse("the host api"))])),
        ],
    )


app = application()
