import { describe, expect, it } from '@jest/globals';
import { failureLines } from '../../../src/execute/failure-lines.js';

describe('failureLines', () => {
  it('are what the failed step printed, though another one printed at the same time', () => {
    const lines = ['#1 [build 1/2] FROM base', '#1 cached', '#2 [build 2/2] RUN make', '#3 [2/2] RUN apt-get update', '#2 cc: error', '#3 Get:1 archive', '#2 make: *** stop', '#2 failed: exit code: 2'];
    expect(failureLines(lines, 8)).toEqual(['cc: error', 'make: *** stop']);
    expect(failureLines(lines, 1)).toEqual(['make: *** stop']);
  });

  it('are the last lines when no step failed', () => {
    expect(failureLines(['#1 one', '#2 two', 'three'], 2)).toEqual(['#2 two', 'three']);
  });

  it('leave a step alone whose number only begins like the failed one', () => {
    expect(failureLines(['#12 not this', '#1 this', '#1 failed: exit code: 1'], 8)).toEqual(['this']);
  });
});
