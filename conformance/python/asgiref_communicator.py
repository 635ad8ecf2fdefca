"""Drives the apps below with asgiref's ApplicationCommunicator, as standard input says; prints what came of every step."""
import asyncio
import json
import sys

from asgiref.testing import ApplicationCommunicator


async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        event = await receive()
        more = event["more_body"]
        await send({"type": "http.response.body", "body": event["body"].upper(), "more_body": more})


async def raises(scope, receive, send):
    await receive()
    raise ValueError("secret of the app")


async def silent(scope, receive, send):
    await asyncio.Event().wait()


async def returns(scope, receive, send):
    await receive()


async def talks(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": event["text"] + scope["path"]})


async def lives(scope, receive, send):
    for name in ("startup", "shutdown"):
        assert (await receive())["type"] == "lifespan." + name
        await send({"type": "lifespan.%s.complete" % name})


def told(event):
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in event.items()}


async def step(call, verb, event):
    try:
        if verb == "send":
            if "body" in event:
                event["body"] = event["body"].encode()
            await call.send_input(event)
            await asyncio.sleep(0)  # the app has its turn
            return "sent"
        if verb == "receive":
            return told(await call.receive_output(0.1))
        if verb == "nothing":
            return await call.receive_nothing(0.05)
        await call.wait(0.1)
        return "returned"
    except ValueError as error:
        return "raised: %s" % error
    except asyncio.TimeoutError:
        return "timeout"


async def run(scenario):
    call = ApplicationCommunicator(globals()[scenario["app"]], scenario["scope"])
    return [await step(call, verb, *(event or [None])) for verb, *event in scenario["steps"]]


async def main():
    print(json.dumps([await run(scenario) for scenario in json.load(sys.stdin)]))


asyncio.run(main())
