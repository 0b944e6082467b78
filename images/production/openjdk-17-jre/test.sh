#!/bin/bash
# test.sh IMAGE: Java 17 runs a class, unprivileged, and knows its certificates.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
java -version 2>&1 | grep -q ' version "17\.'
[[ $(id -u) == 65534 ]]
[[ -s $JAVA_HOME/lib/security/cacerts ]]

# class Answer { public static void main(String[] a) { System.out.println(6 * 7); } }
base64 --decode > /tmp/Answer.class <<'CLASS'
yv66vgAAADQAGAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEAEGphdmEvbGFuZy
9TeXN0ZW0BAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsKAA4ADwcAEAwAEQASAQATamF2YS9pby9QcmludFN0cmVhbQEAB3ByaW50bG4B
AAQoSSlWBwAUAQAGQW5zd2VyAQAEQ29kZQEABG1haW4BABYoW0xqYXZhL2xhbmcvU3RyaW5nOylWACAAEwACAAAAAAACAAAABQAGAAEAFQAAAB
EAAQABAAAABSq3AAGxAAAAAAAJABYAFwABABUAAAAVAAIAAQAAAAmyAAcQKrYADbEAAAAAAAA=
CLASS
[[ $(java -cp /tmp Answer) == 42 ]]
EOF
