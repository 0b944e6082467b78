import { editDependencies, type DependencyEdit } from '../definition/edit-control.js';
import { disagreementOf, slipsOf } from '../lint/check-parents.js';
import type { Subject } from '../lint/finding.js';
import { switchedOff } from '../lint/switched-off.js';
import type { Tags } from '../graph/tags.js';
import type { Config } from '../shared/config.js';
import { warningAt, type Problem } from '../shared/problem.js';
import { writeFile, type WriteFile } from './write-file.js';

/** Steps that make controls agree with Dockerfiles, and what stays as it is, and why. */
export type Mending = { readonly steps: readonly WriteFile[]; readonly left: readonly Problem[] };

/**
 * Plans to mend the parents in every control, but for rules that are switched off there.
 * @param read the bytes of a control
 */
export function planMending(subjects: readonly Subject[], tags: Tags, config: Config, read: (path: string) => Uint8Array | undefined): Mending {
  const steps: WriteFile[] = [];
  const left: Problem[] = [];
  for (const subject of subjects) {
    const edit = editOf(subject, tags, switchedOff(subject.definition, config));
    if (edit.add.length + edit.remove.length + edit.rename.size === 0) continue;
    const { control, directory } = subject.definition;
    if (control === undefined) {
      left.push(warningAt(directory, undefined, `has no control that could name ${edit.add.map(({ name }) => name).join(', ')}`));
      continue;
    }
    const bytes = read(control.path);
    const text = bytes === undefined ? undefined : textOf(bytes);
    const mended = text === undefined ? undefined : editDependencies(text, edit);
    if (mended === undefined) left.push(warningAt(control.path, undefined, 'cannot be mended so that all else stays as it is: mend it by hand'));
    else steps.push(writeFile(control.path, bytes!, mended, [{ why: 'parents-differ', added: [...edit.add.map(({ name }) => name), ...edit.rename.values()], removed: [...edit.remove, ...edit.rename.keys()] }]));
  }
  return { steps, left };
}

function editOf(subject: Subject, tags: Tags, off: ReadonlySet<string>): DependencyEdit {
  const { undeclared, stale, unknown } = disagreementOf(subject, tags);
  const missing = off.has('undeclared-parent') ? [] : undeclared;
  const rename = off.has('unknown-parent') ? new Map<string, string>() : slipsOf({ undeclared: missing, unknown });
  const renamed = new Set(rename.values());
  return {
    add: missing.filter(({ name }) => !renamed.has(name)),
    remove: off.has('stale-parent') ? [] : [...new Set(stale.map(({ name }) => name))],
    rename,
  };
}

/** What bytes say in UTF-8; undefined where they are something else, which writing would change. */
function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
