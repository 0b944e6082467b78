#!/bin/bash
# test.sh IMAGE: the registry answers, takes a blob, and gives it back.
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
send() {
  exec 3<> /dev/tcp/127.0.0.1/5000
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
  tr -d '\r' <&3
}
for _ in {1..100}; do
  (send GET /v2/ '') &> /dev/null && break
  sleep 0.1
done
send GET /v2/ '' | head -n 1 | grep -q ' 200 '

digest=sha256:$(printf text | sha256sum | cut -d ' ' -f 1)
upload=$(send POST /v2/test/blobs/uploads/ '' | sed -n 's|^Location: http://[^/]*||p')
send PUT "$upload&digest=$digest" text | head -n 1 | grep -q ' 201 '
send GET "/v2/test/blobs/$digest" '' | tail -n 1 | grep -qx text
[[ $(id -u):$(id -un) == 901:docker-registry ]] || { echo "runs as $(id -u):$(id -un)" >&2; exit 1; }
EOF
