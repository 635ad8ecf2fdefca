"""A Flask app: routes, forms, sessions, streaming, uploads, errors."""
from flask import Flask, Response, redirect, request, session, url_for

app = Flask(__name__)
app.secret_key = "for the tests"


@app.get("/")
def index():
    return "Hello, %s!" % request.environ.get("REMOTE_USER", "stranger")


@app.post("/login")
def login():
    session["name"] = request.form["name"]
    return redirect(url_for("me"))


@app.get("/me")
def me():
    return {"name": session.get("name"), "path": request.path, "root": request.script_root}


@app.get("/stream")
def stream():
    return Response(("line %d\n" % number for number in range(1000)), mimetype="text/plain")


@app.post("/upload")
def upload():
    return {"bytes": len(request.files["file"].read()), "name": request.files["file"].filename}


@app.post("/raw")
def raw():
    return str(len(request.get_data()))


@app.get("/error")
def error():
    raise RuntimeError("secret of the app")
