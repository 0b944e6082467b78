#!/bin/bash
# test.sh IMAGE: make builds a library in C and a program in C++ that uses it, unprivileged, and it runs.
set -euo pipefail

answer=$(docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
mkdir /tmp/program && cd /tmp/program
echo 'int six(void) { return 6; }' > six.c
cat > answer.cc <<'CC'
#include <iostream>
#include <numeric>
#include <vector>
extern "C" int six(void);
int main() {
  std::vector<int> numbers(7, six());
  std::cout << std::accumulate(numbers.begin(), numbers.end(), 0) << std::endl;
}
CC
cat > Makefile <<'MAKE'
CFLAGS = -O2 -Wall -Werror -fPIC
CXXFLAGS = -O2 -Wall -Werror
answer: answer.cc libsix.so
	$(CXX) $(CXXFLAGS) -o $@ $< -L. -lsix -Wl,-rpath,'$$ORIGIN'
libsix.so: six.o
	$(CC) -shared -o $@ $<
MAKE
make --silent
./answer
EOF
)
[[ $answer == 42 ]] || { echo "answered: $answer"; exit 1; }
