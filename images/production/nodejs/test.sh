#!/bin/bash
# test.sh IMAGE: Node.js 20 runs a program that serves a page to itself.
set -euo pipefail

docker run --rm --interactive --network none "$1" nodejs --input-type=module - <<'EOF'
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

assert.equal(process.versions.node.split('.')[0], '20');
assert.equal(process.getuid(), 65534);
assert.match(createHash('sha256').update('').digest('hex'), /^e3b0c442/);
const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}`);
  assert.equal(await answer.text(), 'hello');
  process.exit(0);
});
EOF
