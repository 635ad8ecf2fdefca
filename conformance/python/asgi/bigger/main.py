"""A FastAPI app of several files: routers, shared dependencies, a mounted app of its own, files, forms, rooms."""
import time
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.middleware.gzip import GZipMiddleware

from .dependencies import Refused, query_token
from .routers import files, rooms, stock, streams

events = []


@asynccontextmanager
async def lifespan(app):
    events.append("up")
    app.state.model = {"answer": 42}
    yield
    app.state.model.clear()
    print("bigger is down after %s" % ", ".join(events))


app = FastAPI(title="Bigger", lifespan=lifespan)
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["*"])
app.add_middleware(GZipMiddleware, minimum_size=2000)
app.include_router(stock.router, prefix="/stock", tags=["stock"], dependencies=[Depends(query_token)])
app.include_router(files.router)
app.include_router(streams.router)
app.include_router(rooms.router)


@app.middleware("http")
async def timing(request: Request, call_next):
    started = time.perf_counter()
    response = await call_next(request)
    response.headers["x-process-time"] = "%.6f" % (time.perf_counter() - started)
    return response


@app.exception_handler(Refused)
async def refused(request: Request, error: Refused):
    return JSONResponse({"refused": error.reason}, status_code=418)


@app.get("/model")
async def model(request: Request):
    return request.app.state.model


inner = FastAPI()


@inner.get("/where")
async def where(request: Request):
    return {"root": request.scope["root_path"], "path": request.scope["path"], "url": str(request.url_for("where"))}


@inner.get("/text", response_class=PlainTextResponse)
async def text():
    return "text of the inner app"


app.mount("/inner", inner)
