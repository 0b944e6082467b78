#!/bin/bash
# test.sh IMAGE: gunicorn serves the application, unprivileged.
set -euo pipefail

container=$(docker run --detach --network none "$1")
finish() {
  local status=$?
  [[ $status == 0 ]] || docker logs "$container" || true
  docker rm --force --volumes "$container" > /dev/null
  exit "$status"
}
trap finish EXIT

docker exec --interactive "$container" bash -euo pipefail <<'EOF'
get() {
  exec 3<> /dev/tcp/127.0.0.1/8080
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  cat <&3
}
for _ in {1..100}; do
  (get /healthz) &> /dev/null && break
  sleep 0.1
done

get /healthz | grep -qx 'ok'
get / | grep -q 'put your application'
[[ $(id -u):$(id -un) == 900:web ]] || { echo "runs as $(id -u):$(id -un)" >&2; exit 1; }
EOF
