"""What is served until an image puts an application of its own at /srv/app/app.py."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "Nothing here yet: put your application at /srv/app/app.py.\n"


@app.get("/healthz")
def healthz() -> str:
    return "ok\n"
