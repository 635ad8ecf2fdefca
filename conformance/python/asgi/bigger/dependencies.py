"""What several routers ask of a request."""
from typing import Annotated, Optional

from fastapi import Cookie, Header, HTTPException, Query, WebSocket, WebSocketException, status


class Refused(Exception):
    def __init__(self, reason):
        self.reason = reason


async def query_token(token: str):
    if token != "jessica":
        raise HTTPException(status_code=400, detail="no such token")


async def key_header(x_key: Annotated[str, Header()]):
    if x_key != "right":
        raise HTTPException(status_code=403, detail="X-Key is wrong")
    return x_key


async def cookie_or_token(
    websocket: WebSocket,
    session: Annotated[Optional[str], Cookie()] = None,
    token: Annotated[Optional[str], Query()] = None,
):
    if session is None and token is None:
        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
    return session or token
