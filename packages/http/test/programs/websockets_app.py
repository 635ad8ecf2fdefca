"""A WebSocket server of the websockets package: prints its address, echoes, and closes or refuses when asked to."""

import asyncio
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response


async def talk(socket: ServerConnection) -> None:
    request = socket.request
    extensions = request.headers.get("Sec-WebSocket-Extensions", "none")
    async for message in socket:
        if message == "who":
            await socket.send(f"{request.headers.get('X-User')} {request.path} extensions={extensions}")
        elif isinstance(message, str) and message.startswith("close "):
            await socket.close(int(message[6:]), "as asked")
        else:
            await socket.send(message)


def refuse(socket: ServerConnection, request: Request) -> Response | None:
    if request.path != "/secret":
        return None
    response = socket.respond(HTTPStatus.FORBIDDEN, "no\n")
    response.headers["X-Why"] = "secret"
    return response


async def main() -> None:
    async with serve(talk, "127.0.0.1", 0, process_request=refuse, subprotocols=["chat"]) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
