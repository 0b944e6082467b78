#!/bin/bash
# test.sh IMAGE: the tool answers, runs as its own user, and left its builder's tools behind.
set -euo pipefail

answer=$(docker run --rm --network none "$1" registry.example.org:5000/base/python3:3.13)
[[ $answer == '{"registry": "registry.example.org:5000", "repository": "base/python3", "tag": "3.13"}' ]] || { echo "answered: $answer"; exit 1; }

docker run --rm --network none --entrypoint bash "$1" -euc '
  [[ $(id -u):$(id -un) == 903:tool ]] || { echo "runs as $(id -u):$(id -un)" >&2; exit 1; }
  ! command -v pip
'
