#!/bin/bash
# test-web.sh VERSION IMAGE: the server runs its page through this PHP, unprivileged, and denies what is not there.
set -euo pipefail
. ../../serving.sh
serve "$2"

inside "$1" <<'EOF'
until_works get /

get / | grep -q "PHP $1: put your application"
get / | grep -qi '^content-type: text/html'
get /nowhere.php | head -n 1 | grep -q ' 404 '
runs_as 33:www-data
EOF
