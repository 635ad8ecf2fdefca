from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path
from pydantic import BaseModel, Field

from ..dependencies import Refused, key_header

router = APIRouter(responses={404: {"description": "not there"}})
mails = []


class Part(BaseModel):
    name: str = Field(max_length=20)
    kind: Literal["bolt", "nut"]
    sizes: list[float] = []


class Stored(Part):
    number: int


parts = {}


@router.get("/")
async def index(kind: str = "", limit: int = 10) -> list[Stored]:
    return [part for part in parts.values() if kind in ("", part.kind)][:limit]


@router.put("/{number}", dependencies=[Depends(key_header)], status_code=201)
async def store(number: Annotated[int, Path(ge=1)], part: Annotated[Part, Body(embed=True)], tasks: BackgroundTasks) -> Stored:
    if part.name == "forbidden":
        raise Refused("forbidden name")
    parts[number] = Stored(number=number, **part.model_dump())
    tasks.add_task(mails.append, "stored %d" % number)
    return parts[number]


@router.get("/mails")
async def sent():
    return mails
