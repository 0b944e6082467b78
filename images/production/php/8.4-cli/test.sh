#!/bin/bash
# test.sh IMAGE: PHP 8.4 runs programs.
exec ../test-cli.sh 8.4 "$1"
