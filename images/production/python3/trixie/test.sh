#!/bin/bash
# test.sh IMAGE: Python 3.13 runs a program, unprivileged, and its compiled modules load.
set -euo pipefail

docker run --rm --interactive --network none "$1" python3 - <<'EOF'
import ctypes, hashlib, json, lzma, os, sqlite3, ssl, sys

assert sys.version_info[:2] == (3, 13), sys.version
assert os.getuid() == 65534, f"runs as {os.getuid()}"
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 50
assert lzma.decompress(lzma.compress(b"text")) == b"text"
assert sqlite3.connect(":memory:").execute("select 6 * 7").fetchone() == (42,)
print(json.dumps({"python": sys.version.split()[0]}))
EOF
