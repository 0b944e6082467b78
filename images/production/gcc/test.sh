#!/bin/bash
# test.sh IMAGE: make and gcc compile a program against the C library, unprivileged, and it runs.
set -euo pipefail

answer=$(docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
cat > answer.c <<'C'
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { return printf("%.0f\n", sqrt(1764.0 * argc)) < 0; }
C
make --silent CFLAGS='-O2 -Wall -Werror' LDLIBS=-lm answer
./answer
EOF
)
[[ $answer == 42 ]] || { echo "answered: $answer"; exit 1; }
