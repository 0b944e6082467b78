#!/bin/bash
# test.sh IMAGE: the server keeps a value, and can write its data down.
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
for _ in {1..100}; do
  redis-cli ping &> /dev/null && break
  sleep 0.1
done
[[ $(redis-cli set answer 42) == OK ]]
[[ $(redis-cli get answer) == 42 ]]
[[ $(redis-cli save) == OK && -s /var/lib/redis/dump.rdb ]]
[[ $(id -u):$(id -un) == 902:redis ]] || { echo "runs as $(id -u):$(id -un)" >&2; exit 1; }
EOF
