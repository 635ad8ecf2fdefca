"""A Starlette app: the user and the session's variables are in the ASGI scope."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def who(request: Request) -> PlainTextResponse:
    extensions = request.scope["extensions"]
    principal = extensions.get("gw.principal", {})
    variables = extensions.get("gw.variables", {})
    lines = [
        f"user={principal.get('user', '')}",
        f"type={principal.get('type', '')}",
        f"groups={','.join(principal.get('groups', []))}",
        f"mail={principal.get('claims', {}).get('email', '')}",
        f"theme={variables.get('USER_THEME', '')}",
        "--",
        str(request.scope),
    ]
    return PlainTextResponse("\n".join(lines))


app = Starlette(routes=[Route("/", who)])
