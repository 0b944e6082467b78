#!/bin/bash
# test.sh IMAGE: what python3-web promises, on Python 3.11.
exec ../web/test.sh "$1"
