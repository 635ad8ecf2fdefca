"""A FastAPI app: lifespan, models, dependencies, uploads, streaming, background tasks, WebSockets."""
import asyncio
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

done = []


@asynccontextmanager
async def lifespan(app):
    yield {"items": {1: "one"}}
    print("the app has shut down")


app = FastAPI(lifespan=lifespan)


class Item(BaseModel):
    name: str
    price: float = 1.0


def user(request: Request):
    principal = request.scope["extensions"].get("gw.principal")
    if principal is None:
        raise HTTPException(status_code=401, headers={"WWW-Authenticate": "Basic"})
    return principal["user"]


@app.get("/")
async def index(request: Request, name: str = Depends(user)):
    return {"user": name, "url": str(request.url_for("read", number=1)), "state": request.state.items[1]}


@app.get("/items/{number}")
def read(number: int):
    """A sync function: Starlette runs it on a thread."""
    return {"number": number}


@app.post("/items")
async def create(item: Item):
    return item


@app.post("/size")
async def size(request: Request):
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
    return total


@app.get("/stream")
async def stream():
    async def lines():
        for number in range(1000):
            yield "line %d\n" % number
            if number % 100 == 0:
                await asyncio.sleep(0)

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/later")
async def later(tasks: BackgroundTasks):
    async def work():
        await asyncio.sleep(0.05)
        done.append("worked")

    tasks.add_task(work)
    return {"done": done}


@app.get("/error")
async def error():
    raise RuntimeError("secret of the app")


@app.websocket("/ws/{room}")
async def socket(socket: WebSocket, room: str):
    if room == "closed":
        raise HTTPException(status_code=403)
    await socket.accept(subprotocol=(socket.scope["subprotocols"] or [None])[0])
    try:
        while True:
            text = await socket.receive_text()
            await socket.send_json({"room": room, "text": text})
    except WebSocketDisconnect as gone:
        done.append("left with %d" % gone.code)
