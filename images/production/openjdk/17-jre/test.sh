#!/bin/bash
# test.sh IMAGE: Java 17 runs a class.
exec ../test-jre.sh 17 "$1"
