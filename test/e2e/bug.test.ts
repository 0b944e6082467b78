import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PROGRAM } from '../support/scenario.js';

/** Throws out of nowhere, as a library's stray event does, as soon as the program would notice. */
const STRAY = 'const t=setInterval(()=>{if(process.listenerCount("SIGINT")>0){clearInterval(t);throw new Error("stray")}},1);t.unref()';

it('an error that nobody waits for is a bug, and not "an image failed"', () => {
  const directory = mkdtempSync(join(tmpdir(), 'build-images-bug-'));
  try {
    mkdirSync(join(directory, 'images'));
    writeFileSync(join(directory, 'config.yaml'), 'registry: 127.0.0.1:1\n');
    const { status, stderr } = spawnSync(process.execPath, [`--import=data:text/javascript,${encodeURIComponent(STRAY)}`, PROGRAM, 'plan'], {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') },
      timeout: 30_000,
    });
    expect([status, stderr]).toEqual([70, expect.stringMatching(/^build-images has a bug: Error: stray\n/)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
