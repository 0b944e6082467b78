#!/bin/bash
# test.sh IMAGE: Go 1.24 builds a program that calls C, unprivileged, and it runs.
set -euo pipefail

answer=$(docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
mkdir /tmp/module && cd /tmp/module
go mod init example.org/answer 2> /dev/null
grep -qx 'go 1\.24\(\.[0-9]*\)\?' go.mod
cat > main.go <<'GO'
package main

// static int six(void) { return 6; }
import "C"

func answer() int { return int(C.six()) * 7 }

func main() { println(answer()) }
GO
go build -o answer .
./answer 2>&1
EOF
)
[[ $answer == 42 ]] || { echo "answered: $answer"; exit 1; }
