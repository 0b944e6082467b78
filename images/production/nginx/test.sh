#!/bin/bash
# test.sh IMAGE: the server serves its page with its type, unprivileged, logs it, and knows nothing of what is not there.
set -euo pipefail
. ../serving.sh
serve "$1"

# A page of another image's; of which sort does not matter.
docker cp test.sh "$container:/srv/www/picture.svg"
inside <<'EOF'
until_works get /

get / | grep -q 'put your pages'
get / | grep -qi '^content-type: text/html; charset=utf-8'
get /picture.svg | tr -d '\r' | grep -qixF 'content-type: image/svg+xml'
get /nowhere | head -n 1 | grep -q ' 404 '
runs_as 33:www-data
EOF
docker logs "$container" 2> /dev/null | grep -q '"GET /nowhere HTTP/1.0" 404'
