#!/bin/bash
# test.sh IMAGE: the clients log in to a server, unprivileged, ask it something and understand its answer.
set -euo pipefail

docker run --rm --interactive --network none --entrypoint bash "$1" -euo pipefail -c '
cat > /tmp/test-server.pl
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
perl /tmp/test-server.pl /tmp/socket somebody secret 2> /tmp/server.log &
trap "cat /tmp/server.log" ERR
for _ in {1..100}; do
  [[ -S /tmp/socket ]] && break
  sleep 0.1
done
login="--no-defaults --skip-ssl --socket=/tmp/socket --user=somebody"
[[ $(mariadb $login --password=secret --batch --execute="SELECT 6 * 7 AS answer") == $(printf "answer\n42") ]]
[[ $(mariadb-admin $login --password=secret ping) == "mysqld is alive" ]]
refused=$(! mariadb $login --password=wrong --execute="SELECT 6 * 7 AS answer" 2>&1)
[[ $refused == "ERROR 1045 (28000): Access denied" ]] || { echo "a wrong password: $refused"; exit 1; }
' < test-server.pl
