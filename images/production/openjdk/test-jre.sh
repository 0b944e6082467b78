#!/bin/bash
# test-jre.sh VERSION IMAGE: this Java runs a class made for it, unprivileged, and trusts the system's certificates.
set -euo pipefail

docker run --rm --interactive --network none "$2" bash -euo pipefail -s "$1" <<'EOF'
version=$("$JAVA_HOME/bin/java" -version 2>&1)
[[ $version == *" version \"$1."* ]] || { echo "$version"; exit 1; }
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
certificates=$(keytool -list -cacerts -storepass changeit 2> /dev/null | grep -c trustedCertEntry || true)
((certificates > 50)) || { echo "$certificates certificates"; exit 1; }

# class Answer { public static void main(String[] a) { System.out.println(6 * 7); } }
base64 --decode > /tmp/Answer.class <<'CLASS'
yv66vgAAADQAGAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEAEGphdmEvbGFuZy
9TeXN0ZW0BAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsKAA4ADwcAEAwAEQASAQATamF2YS9pby9QcmludFN0cmVhbQEAB3ByaW50bG4B
AAQoSSlWBwAUAQAGQW5zd2VyAQAEQ29kZQEABG1haW4BABYoW0xqYXZhL2xhbmcvU3RyaW5nOylWACAAEwACAAAAAAACAAAABQAGAAEAFQAAAB
EAAQABAAAABSq3AAGxAAAAAAAJABYAFwABABUAAAAVAAIAAQAAAAmyAAcQKrYADbEAAAAAAAA=
CLASS
# The class file format of Java N is N + 44; an older Java refuses it.
printf "\\x$(printf %x $(($1 + 44)))" | dd of=/tmp/Answer.class bs=1 seek=7 conv=notrunc status=none
[[ $(java -cp /tmp Answer) == 42 ]]
EOF
