"""A Flask app: the user and the session's variables are in the WSGI environ."""

from flask import Flask, Response, request

app = Flask(__name__)


def told(name: str) -> str:
    """A variable as text: WSGI hands on bytes as Latin-1 (PEP 3333)."""
    return request.environ.get(name, "").encode("latin-1").decode("utf-8")


@app.get("/")
def who() -> Response:
    lines = [
        f"user={told('REMOTE_USER')}",
        f"type={told('AUTH_TYPE')}",
        f"groups={told('USER_GROUPS')}",
        f"mail={told('USER_MAIL')}",
        f"theme={told('USER_THEME')}",
        "--",
        *(f"{name}={value}" for name, value in request.environ.items()),
    ]
    return Response("\n".join(lines), mimetype="text/plain")
