#!/bin/bash
# test-cli.sh VERSION IMAGE: this PHP serves a page to its own curl, unprivileged, and the extensions work.
set -euo pipefail

docker run --rm --interactive --network none "$2" bash -euo pipefail -s "$1" <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
mkdir /tmp/www
echo '<?= json_encode(["php" => PHP_MAJOR_VERSION . "." . PHP_MINOR_VERSION, "agent" => $_SERVER["HTTP_USER_AGENT"]]);' > /tmp/www/index.php
php -S 127.0.0.1:8080 -t /tmp/www 2> /tmp/log &
cat > /tmp/test.php <<'PHP'
<?php
function expect($actual, $expected): void {
    if ($actual === $expected) return;
    fwrite(STDERR, json_encode($actual) . ' is not ' . json_encode($expected) . "\n");
    exit(1);
}
expect(mb_strtoupper('straße é'), 'STRASSE É');
expect((string) simplexml_load_string('<a><b>42</b></a>')->b, '42');
expect(in_array('mysql', PDO::getAvailableDrivers()), true);
expect(extension_loaded('Zend OPcache'), true);

$curl = curl_init('http://127.0.0.1:8080/');
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_USERAGENT => 'test']);
for ($tries = 0; $tries < 100 && ($page = curl_exec($curl)) === false; $tries++) usleep(100_000);
expect(json_decode((string) $page, true), ['php' => $argv[1], 'agent' => 'test']);
PHP
php -d error_reporting=-1 /tmp/test.php "$1"
EOF
