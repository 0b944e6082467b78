#!/bin/bash
# test.sh IMAGE: PHP 8.2 serves pages.
exec ../test-web.sh 8.2 "$1"
