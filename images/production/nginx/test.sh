#!/bin/bash
# test.sh IMAGE: the server serves its page with its type, unprivileged, logs it, and knows nothing of what is not there.
set -euo pipefail

container=$(docker run --detach --network none "$1")
finish() {
  local status=$?
  [[ $status == 0 ]] || docker logs "$container" || true
  docker rm --force --volumes "$container" > /dev/null
  exit "$status"
}
trap finish EXIT

# A page of another image's; of which sort does not matter.
docker cp test.sh "$container:/srv/www/picture.svg"
docker exec --interactive "$container" bash -euo pipefail <<'EOF'
get() {
  exec 3<> /dev/tcp/127.0.0.1/8080
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  cat <&3
}
for _ in {1..100}; do
  (get /) &> /dev/null && break
  sleep 0.1
done

get / | grep -q 'put your pages'
get / | grep -qi '^content-type: text/html; charset=utf-8'
get /picture.svg | tr -d '\r' | grep -qixF 'content-type: image/svg+xml'
get /nowhere | head -n 1 | grep -q ' 404 '
[[ $(id -u) == 33 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
EOF
docker logs "$container" 2> /dev/null | grep -q '"GET /nowhere HTTP/1.0" 404'
