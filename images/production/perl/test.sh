#!/bin/bash
# test.sh IMAGE: Perl 5.40 serves JSON to itself, unprivileged, and can speak TLS.
set -euo pipefail

docker run --rm --interactive --network none "$1" perl - <<'EOF'
use v5.40;
use Digest::SHA qw(sha256_hex);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::XS;

sub expect ($actual, $expected) { $actual eq $expected or die "$actual is not $expected\n" }

expect($< . ' ' . $>, '65534 65534');
expect(substr($^V, 0, 5), 'v5.40');
expect(sha256_hex(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no server: $@\n";
if (!fork) {
  my $client = $server->accept;
  while (<$client>) { last if /^\r?$/ }
  print $client "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" . encode_json({ answer => 42 });
  exit;
}
my $answer = HTTP::Tiny->new(timeout => 10)->get('http://127.0.0.1:' . $server->sockport . '/');
expect($answer->{status}, 200);
expect(decode_json($answer->{content})->{answer}, 42);

my ($can, $why) = HTTP::Tiny->can_ssl;
$can or die "no TLS: $why\n";
EOF
