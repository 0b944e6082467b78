#!/bin/bash
# test.sh IMAGE: makes a wheel out of a package, unprivileged, with nothing from the network.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
mkdir /tmp/package && cd /tmp/package
echo 'answer = 42' > answer.py
printf '[project]\nname = "answer"\nversion = "1.0"\n[tool.setuptools]\npy-modules = ["answer"]\n' > pyproject.toml
pip wheel --quiet --no-index --no-build-isolation --no-deps --wheel-dir /tmp/wheels .
PYTHONPATH=/tmp/wheels/answer-1.0-py3-none-any.whl python3 -c 'import answer; assert answer.answer == 42'
EOF
