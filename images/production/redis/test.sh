#!/bin/bash
# test.sh IMAGE: the server keeps a value, and can write its data down.
set -euo pipefail
. ../serving.sh
serve "$1"

inside <<'EOF'
until_works redis-cli ping
[[ $(redis-cli set answer 42) == OK ]]
[[ $(redis-cli get answer) == 42 ]]
[[ $(redis-cli save) == OK && -s /var/lib/redis/dump.rdb ]]
runs_as 902:redis
EOF
