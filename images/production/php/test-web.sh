#!/bin/bash
# test-web.sh VERSION IMAGE: the server runs its page through this PHP, unprivileged, and denies what is not there.
set -euo pipefail

container=$(docker run --detach --network none "$2")
finish() {
  local status=$?
  [[ $status == 0 ]] || docker logs "$container" || true
  docker rm --force --volumes "$container" > /dev/null
  exit "$status"
}
trap finish EXIT

docker exec --interactive "$container" bash -euo pipefail -s "$1" <<'EOF'
get() {
  exec 3<> /dev/tcp/127.0.0.1/8080
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  cat <&3
}
for _ in {1..100}; do
  (get /) &> /dev/null && break
  sleep 0.1
done

get / | grep -q "PHP $1: put your application"
get / | grep -qi '^content-type: text/html'
get /nowhere.php | head -n 1 | grep -q ' 404 '
[[ $(id -u) == 33 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
EOF
