"""A Litestar app: handlers, layers, streams, sockets, life."""
import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, AsyncGenerator

from litestar import Controller, Litestar, Request, Response, WebSocket, get, post, websocket, websocket_listener
from litestar.background_tasks import BackgroundTask
from litestar.di import Provide
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.response import ServerSentEvent, Stream

log = []


@dataclass
class Item:
    name: str
    count: int = 1


@asynccontextmanager
async def life(app: Litestar) -> AsyncGenerator[None, None]:
    app.state.ready = "yes"
    yield
    print("litestar is down")


async def provide_user(request: Request[Any, Any, Any]) -> str:
    principal = request.scope["extensions"].get("gw.principal")
    if principal is None:
        raise PermissionDeniedException("log in first")
    return principal["user"]


class Items(Controller):
    path = "/items"

    @get("/{number:int}")
    async def read(self, number: int) -> dict[str, int]:
        return {"number": number}

    @post("/")
    async def create(self, data: Item) -> Item:
        return data


@get("/", sync_to_thread=False)
def index(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"ready": request.app.state.ready, "root": request.scope["root_path"]}


@get("/me", dependencies={"user": Provide(provide_user)})
async def me(user: str) -> str:
    return user


@get("/stream")
async def stream() -> Stream:
    async def make() -> AsyncGenerator[bytes, None]:
        for number in range(500):
            yield b"%07d\n" % number

    return Stream(make())


@get("/events")
async def events() -> ServerSentEvent:
    async def make() -> AsyncGenerator[str, None]:
        for number in range(3):
            await asyncio.sleep(0)
            yield "event %d" % number

    return ServerSentEvent(make())


@get("/later")
async def later() -> Response[list[str]]:
    async def work() -> None:
        log.append("worked")

    return Response(list(log), background=BackgroundTask(work))


@get("/fails")
async def fails() -> None:
    raise HTTPException(status_code=409, detail="conflict")


@get("/boom")
async def boom() -> None:
    raise ValueError("secret of the app")


@websocket("/ws")
async def raw(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    data = await socket.receive_json()
    await socket.send_json({"message": data})
    await socket.close(code=4001, reason="enough")


@websocket_listener("/listen")
async def listen(data: str) -> str:
    return data.upper()


app = Litestar([Items, index, me, stream, events, later, fails, boom, raw, listen], lifespan=[life])
