#!/bin/bash
# test.sh IMAGE: PHP 8.4 serves pages.
exec ../test-web.sh 8.4 "$1"
