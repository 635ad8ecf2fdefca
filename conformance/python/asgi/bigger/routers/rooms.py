from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect

from ..dependencies import cookie_or_token

router = APIRouter()


class Room:
    """Everybody in it hears everything."""

    def __init__(self):
        self.sockets = []

    async def enter(self, socket):
        await socket.accept()
        self.sockets.append(socket)

    async def tell(self, text):
        for socket in self.sockets:
            await socket.send_text(text)


room = Room()


@router.websocket("/room/{name}")
async def enter(socket: WebSocket, name: str):
    await room.enter(socket)
    try:
        while True:
            text = await socket.receive_text()
            await socket.send_text("you: " + text)
            await room.tell("%s: %s" % (name, text))
    except WebSocketDisconnect:
        room.sockets.remove(socket)
        await room.tell("%s has left" % name)


@router.websocket("/guarded/{number}")
async def guarded(socket: WebSocket, number: int, who: Annotated[str, Depends(cookie_or_token)]):
    await socket.accept()
    await socket.send_json({"who": who, "number": number})
    data = await socket.receive_json()
    await socket.send_bytes(bytes(data))
    await socket.close(code=4000, reason="done")
