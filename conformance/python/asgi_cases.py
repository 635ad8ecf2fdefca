"""The shared cases as an ASGI application: their WSGI twins behind asgiref's own adapter, and what asgiref has for older apps."""
from asgiref.compatibility import guarantee_single_callable
from asgiref.sync import sync_to_async
from asgiref.wsgi import WsgiToAsgi, WsgiToAsgiInstance

import wsgi_cases


class _Instance(WsgiToAsgiInstance):
    def build_environ(self, scope, body):
        environ = super().build_environ(scope, body)
        environ.update(scope["extensions"].get("gw.variables", {}))
        query = scope["query_string"]
        environ["REQUEST_URI"] = (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
        principal = scope["extensions"].get("gw.principal")
        if principal is not None:
            environ["REMOTE_USER"] = principal["user"]
            environ["AUTH_TYPE"] = principal["type"]
        return environ


class _Adapter(WsgiToAsgi):
    async def __call__(self, scope, receive, send):
        await _Instance(self.wsgi_application)(scope, receive, send)


app = _Adapter(wsgi_cases.app)


class Double:
    """An application of ASGI 2: called with the scope, and what that gives with receive and send."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        if self.scope["type"] != "http":
            raise ValueError("http only")
        thread = await sync_to_async(lambda: "from a thread")()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": ("ASGI 2 at %s, %s" % (self.scope["path"], thread)).encode()})


double = guarantee_single_callable(Double)
