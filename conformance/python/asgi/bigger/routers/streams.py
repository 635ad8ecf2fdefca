import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

router = APIRouter(tags=["streams"])
left = []


@router.get("/numbers")
async def numbers(count: int):
    def make():  # a plain generator: Starlette runs it on threads
        for number in range(count):
            yield "%07d\n" % number

    return StreamingResponse(make(), media_type="text/plain")


@router.get("/ticks")
async def ticks(request: Request):
    async def make():
        try:
            number = 0
            while True:
                yield "id: %d\ndata: tick\n\n" % number
                number += 1
                await asyncio.sleep(0.01)
        finally:
            left.append("ticks")

    return StreamingResponse(make(), media_type="text/event-stream")


@router.get("/left")
async def who_left():
    return left
