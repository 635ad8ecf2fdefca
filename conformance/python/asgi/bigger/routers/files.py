from typing import Annotated

from fastapi import APIRouter, Cookie, File, Form, Response, UploadFile
from fastapi.responses import FileResponse

router = APIRouter(tags=["files"])


@router.post("/upload")
async def upload(note: Annotated[str, Form()], first: Annotated[bytes, File()], second: UploadFile):
    total = 0
    while chunk := await second.read(65536):
        total += len(chunk)
    return {"note": note, "first": len(first), "second": [second.filename, second.content_type, total]}


@router.post("/login")
async def login(name: Annotated[str, Form()], response: Response):
    response.set_cookie("name", name, httponly=True)
    response.set_cookie("theme", "dark")
    return {}


@router.get("/me")
async def me(name: Annotated[str, Cookie()]):
    return name


@router.get("/download")
async def download(path: str):
    return FileResponse(path, filename="download.txt")
