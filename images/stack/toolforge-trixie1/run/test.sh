#!/bin/bash
# test.sh IMAGE: as the user that apps run as, uWSGI serves a Python application; nothing to build with is there.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -un):$(id -u):$(id -g) == app:1001:1000 ]] || { id; exit 1; }
touch ~/writable
! command -v gcc pip
cd "$(mktemp -d)"
cat > app.py <<'PYTHON'
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served from " + environ["PATH_INFO"].encode()]
PYTHON
uwsgi --plugins python3 --http-socket 127.0.0.1:8000 --wsgi-file app.py --daemonize uwsgi.log --pidfile uwsgi.pid > /dev/null
python3 - <<'PYTHON' || { cat uwsgi.log; exit 1; }
import time, urllib.request

for _ in range(100):
    try:
        answer = urllib.request.urlopen("http://127.0.0.1:8000/page").read()
        break
    except OSError:
        time.sleep(0.1)
assert answer == b"served from /page", answer
PYTHON
uwsgi --stop uwsgi.pid
EOF
