import { expect, it } from '@jest/globals';
import { parseImageRef, formatImageRef } from '../../../src/shared/image-ref.js';
import { mirroredRefs } from '../../../src/shared/registry-mirrors.js';

const MIRRORS = { 'docker.io': ['mirror.example.org/hub/cache', 'other:5000'], 'registry.example.org:5000': ['mirror.example.org'] };

it.each<[string, readonly string[]]>([
  ['debian:12', ['mirror.example.org/hub/cache/library/debian:12', 'other:5000/library/debian:12']],
  ['docker.io/library/debian:12', ['mirror.example.org/hub/cache/library/debian:12', 'other:5000/library/debian:12']],
  ['index.docker.io/debian', ['mirror.example.org/hub/cache/library/debian', 'other:5000/library/debian']],
  ['grafana/grafana:1', ['mirror.example.org/hub/cache/grafana/grafana:1', 'other:5000/grafana/grafana:1']],
  ['registry.example.org:5000/debian', ['mirror.example.org/debian']],
  ['registry.example.org/debian', []],
])('%s is at the mirrors %j', (text, expected) => expect(mirroredRefs(parseImageRef(text)!, MIRRORS).map(formatImageRef)).toEqual(expected));
