#!/bin/bash
# test.sh IMAGE: the registry answers, takes a blob, and gives it back.
set -euo pipefail
. ../serving.sh
serve "$1"

inside <<'EOF'
send() {
  exec 3<> /dev/tcp/127.0.0.1/5000
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
  tr -d '\r' <&3
}
until_works send GET /v2/ ''
send GET /v2/ '' | head -n 1 | grep -q ' 200 '

digest=sha256:$(printf text | sha256sum | cut -d ' ' -f 1)
upload=$(send POST /v2/test/blobs/uploads/ '' | sed -n 's|^Location: http://[^/]*||p')
send PUT "$upload&digest=$digest" text | head -n 1 | grep -q ' 201 '
send GET "/v2/test/blobs/$digest" '' | tail -n 1 | grep -qx text
runs_as 901:docker-registry
EOF
