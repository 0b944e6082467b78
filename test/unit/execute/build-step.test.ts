import { describe, expect, it } from '@jest/globals';
import { buildStep } from '../../../src/execute/build-step.js';

describe('buildStep', () => {
  it.each([
    ['#2 [2/7] RUN make', '[2/7] RUN make'],
    ['#12 [ 2/17] COPY a b', '[2/17] COPY a b'],
    ['#3 [build 4/7] RUN [ -e /a ]', '[4/7] RUN [ -e /a ]'],
    ['#3 [stage-1  4/12] RUN make', '[4/12] RUN make'],
    ['#9 exporting to image', 'exporting to image'],
    ['I: installing packages...', 'installing packages...'],
    ['Get:3 http://deb.example.org trixie InRelease [47.3 kB]', 'Get:3 http://deb.example.org trixie InRelease [47.3 kB]'],
    ['Unpacking tar (1.35) ...', 'Unpacking tar (1.35) ...'],
    ['Setting up libc6 (2.41) ...', 'Setting up libc6 (2.41) ...'],
    ['Processing triggers for libc-bin (2.41) ...', 'Processing triggers for libc-bin (2.41) ...'],
    ["I: running --setup-hook in shell: sh -c 'set -eu", undefined],
    ['I: skipping cleanup/apt as requested', undefined],
    ['Reading package lists...', undefined],
    ['#2 cc -o a a.c', undefined],
    ['#2 done in 1.2s', undefined],
    ['#9 exporting to image took long', undefined],
    ['#1 [internal] load metadata', undefined],
  ])('%s: %s', (line, step) => expect(buildStep(line)).toBe(step));
});
