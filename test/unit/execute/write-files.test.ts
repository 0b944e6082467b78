import { describe, expect, it } from '@jest/globals';
import { writeFiles, type FileWriting, type PutBack } from '../../../src/execute/write-files.js';
import { writeFile, type WriteFile } from '../../../src/plan/write-file.js';
import { Fault } from '../../../src/shared/errors.js';

/** A disk on which the deeds that are named fail: `stage b`, `read b`, `commit b`; `commit b again` only when it is put back. */
function diskOf(files: Record<string, string>, failing: readonly string[] = []): { readonly disk: FileWriting; readonly beside: Set<string> } {
  const beside = new Set<string>();
  const commits = new Map<string, number>();
  const mayFail = (deed: string): void => {
    if (failing.includes(deed)) throw new Error('no space left on device');
  };
  const disk: FileWriting = {
    read(path) {
      mayFail(`read ${path}`);
      return Buffer.from(files[path]!);
    },
    stage(path, content) {
      mayFail(`stage ${path}`);
      beside.add(path);
      return {
        commit() {
          const times = (commits.get(path) ?? 0) + 1;
          commits.set(path, times);
          mayFail(`commit ${path}${times === 1 ? '' : ' again'}`);
          files[path] = Buffer.from(content).toString();
          beside.delete(path);
        },
        discard: () => void beside.delete(path),
      };
    },
  };
  return { disk, beside };
}

const step = (path: string, before = `old ${path}`): WriteFile => writeFile(path, before, `new ${path}`, []);
const OLD = { a: 'old a', b: 'old b', c: 'old c' };
const NEW = { a: 'new a', b: 'new b', c: 'new c' };

function attempt(failing: readonly string[], steps = [step('a'), step('b'), step('c')]): { readonly files: Record<string, string>; readonly beside: readonly string[]; readonly message: string | undefined } {
  const files = { ...OLD };
  const { disk, beside } = diskOf(files, failing);
  let message;
  try {
    writeFiles(steps, disk);
  } catch (error) {
    expect([error instanceof Fault, (error as Fault).exit]).toEqual([true, 1]);
    message = (error as Fault).message;
  }
  return { files, beside: [...beside], message };
}

describe('writeFiles', () => {
  it('writes all of them, and leaves nothing beside them', () => {
    expect(attempt([])).toEqual({ files: NEW, beside: [], message: undefined });
  });
  it.each(['a', 'b', 'c'].flatMap((path) => ['stage', 'read', 'commit'].map((deed) => [`${deed} ${path}`, path] as const)))('one that cannot be written leaves all as they were: %s', (deed, path) => {
    expect(attempt([deed])).toEqual({ files: OLD, beside: [], message: `${path} cannot be written: no space left on device. No file was changed.` });
  });
  it('one that changed since it was read leaves all as they were', () => {
    const { files, beside, message } = attempt([], [step('a'), step('b', 'other'), step('c')]);
    expect([files, beside, message]).toEqual([OLD, [], 'b cannot be written: it changed while this was being planned; run it again. No file was changed.']);
  });
  it('one that can neither be written nor put back is named', () => {
    const { files, message } = attempt(['commit c', 'commit a again']);
    expect(files).toEqual({ ...OLD, a: 'new a' });
    expect(message).toBe('c cannot be written: no space left on device. And some files cannot be put back, and hold what was to be written: a (no space left on device)');
  });
  it('gives what puts all of them back, once', () => {
    const files = { ...OLD };
    const { disk, beside } = diskOf(files);
    const putBack: PutBack = writeFiles([step('a'), step('b'), step('c')], disk);
    expect(files).toEqual(NEW);
    putBack();
    expect([files, [...beside]]).toEqual([OLD, []]);
    files.a = 'newer';
    putBack();
    expect(files.a).toBe('newer');
  });
});
