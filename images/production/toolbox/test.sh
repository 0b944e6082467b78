#!/bin/bash
# test.sh IMAGE: a server of nc is seen by ss and ps, and read with curl and jq, unprivileged.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"answer": 42}' | nc -N -l 127.0.0.1 8080 > /tmp/request &
listening() { [[ -n $(ss --no-header --listening --tcp --numeric 'sport = :8080') ]]; }
for _ in {1..100}; do
  listening && break
  sleep 0.1
done
listening
ps -C nc -o args= | grep -q '^nc .* 8080$'
ip -brief address show lo | grep -q '127\.0\.0\.1/8'
[[ $(curl --silent --show-error --max-time 10 http://127.0.0.1:8080/path | jq .answer) == 42 ]]
grep -q '^GET /path ' /tmp/request
[[ $(printf '' | openssl dgst -r -sha256) == e3b0c442* ]]
EOF
