#!/bin/bash
# test.sh IMAGE: gunicorn serves the application, unprivileged.
set -euo pipefail
. ../../serving.sh
serve "$1"

inside <<'EOF'
until_works get /healthz

get /healthz | grep -qx 'ok'
get / | grep -q 'put your application'
runs_as 900:web
EOF
