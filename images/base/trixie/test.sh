#!/bin/bash
# test.sh IMAGE: it is Debian 13, its certificates are there, and apt can work in it.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
. /etc/os-release
[[ $VERSION_CODENAME == trixie ]] || { echo "this is $PRETTY_NAME, not trixie"; exit 1; }
grep -q 'BEGIN CERTIFICATE' /etc/ssl/certs/ca-certificates.crt
apt-get check -qq
[[ -z $(dpkg --audit) ]]
EOF
