#!/bin/bash
# test.sh IMAGE: PHP 8.2 runs programs.
exec ../test-cli.sh 8.2 "$1"
