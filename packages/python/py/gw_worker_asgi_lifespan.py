"""The start and stop of an ASGI application (lifespan 2.0)."""
import asyncio
import sys
import traceback


class Lifespan:
    """The app's start and stop."""

    def __init__(self, app, mode):
        self.app = app
        self.mode = mode
        self.state = {}
        self.events = asyncio.Queue()
        self.task = None
        self.answer = None
        self.is_on = False

    async def begin(self):
        """`start`, for which being cancelled is a reason, too."""
        try:
            return await self.start()
        except asyncio.CancelledError:
            return "it was cancelled"

    async def start(self):
        """None, or the reason why the app cannot serve."""
        if self.mode == "off":
            return None
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        loop = asyncio.get_running_loop()
        self.answer = loop.create_future()
        self.task = loop.create_task(self.run(scope))
        return await self.ask("lifespan.startup")

    async def stop(self):
        if self.is_on and not self.task.done():
            self.answer = asyncio.get_running_loop().create_future()
            reason = await self.ask("lifespan.shutdown")
            if reason is not None:
                sys.stderr.write("lifespan shutdown failed: %s\n" % reason)
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def ask(self, kind):
        self.events.put_nowait({"type": kind})
        return await self.answer

    async def run(self, scope):
        try:
            await self.app(scope, self.events.get, self.send)
            error = None
        except asyncio.CancelledError:
            raise
        except BaseException as caught:
            error = caught
        if self.answer.done():
            if error is not None:
                traceback.print_exception(type(error), error, error.__traceback__)
            return
        if self.mode == "on" or self.is_on:
            if error is not None:
                traceback.print_exception(type(error), error, error.__traceback__)
            reason = "%s: %s" % (type(error).__name__, error) if error else "it returned before it was asked to"
            return self.settle(None if self.is_on and error is None else reason)
        self.settle(None)  # no lifespan support

    async def send(self, event):
        kind = event["type"]
        if kind == "lifespan.startup.complete":
            self.is_on = True
            self.settle(None)
        elif kind == "lifespan.shutdown.complete":
            self.settle(None)
        elif kind in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            self.settle(event.get("message") or kind)
        # The five-line app answers every scope like a request; that is no life, and no error.

    def settle(self, reason):
        if not self.answer.done():
            self.answer.set_result(reason)
