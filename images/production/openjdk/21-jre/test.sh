#!/bin/bash
# test.sh IMAGE: Java 21 runs a class.
exec ../test-jre.sh 21 "$1"
