#!/bin/bash
# test.sh IMAGE: bundler finds a gem, Ruby 3.3 runs a program that uses it, unprivileged, and its compiled libraries load.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
mkdir -p /tmp/app/answer/lib && cd /tmp/app
echo 'gem "answer", path: "answer"' > Gemfile
echo 'Gem::Specification.new { |s| s.name, s.version, s.summary, s.authors, s.files = "answer", "1.0", "-", ["-"], ["lib/answer.rb"] }' > answer/answer.gemspec
echo 'ANSWER = 42' > answer/lib/answer.rb
bundle install --local --quiet
bundle exec ruby - <<'RUBY'
require 'answer'
require 'json'
require 'openssl'
require 'yaml'
require 'zlib'

def expect(actual, expected) = actual == expected || abort("#{actual.inspect} is not #{expected.inspect}")

expect RUBY_VERSION[/^\d+\.\d+/], '3.3'
expect JSON.parse(JSON.generate(YAML.load("answer: #{ANSWER}"))), { 'answer' => 42 }
expect OpenSSL::Digest.hexdigest('SHA256', '')[0, 8], 'e3b0c442'
expect Zlib::Inflate.inflate(Zlib::Deflate.deflate('text')), 'text'
RUBY
EOF
