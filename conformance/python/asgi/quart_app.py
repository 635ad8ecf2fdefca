"""A Quart app: sync and async views, streams both ways, sockets, background tasks, life."""
import asyncio

from quart import Quart, abort, jsonify, make_response, request, session, websocket

app = Quart(__name__)
app.secret_key = "of a test"
log = []


@app.before_serving
async def up():
    log.append("up")


@app.after_serving
async def down():
    print("quart is down")


@app.get("/")
async def index():
    return jsonify(log=log, root=request.root_path, url=request.url)


@app.get("/sync")
def sync():
    return "on a thread"


@app.post("/size")
async def size():
    total = 0
    async for chunk in request.body:
        total += len(chunk)
    return str(total)


@app.get("/stream")
async def stream():
    async def make():
        for number in range(500):
            yield b"%07d\n" % number

    return make(), 200, {"Content-Type": "text/plain"}


@app.post("/login")
async def login():
    session["user"] = (await request.form)["user"]
    return ""


@app.get("/me")
async def me():
    return session.get("user") or abort(401)


@app.get("/later")
async def later():
    async def work():
        await asyncio.sleep(0)
        log.append("worked")

    app.add_background_task(work)
    return "soon"


@app.get("/hints")
async def hints():
    await request.send_push_promise("/pushed.css")
    return "hinted"


@app.get("/boom")
async def boom():
    raise ValueError("secret of the app")


@app.websocket("/ws")
async def socket():
    if websocket.args.get("token") != "right":
        return await make_response("no", 403)
    await websocket.accept(headers={"x-a": "b"}, subprotocol="chat")
    try:
        while True:
            await websocket.send("you said " + await websocket.receive())
    except asyncio.CancelledError:
        log.append("left")
        raise
