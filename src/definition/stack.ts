import { nearHint } from '../shared/near-names.js';
import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';
import { markerFields } from './marker-fields.js';

/** What an image is in its stack: apps run on one, and are built on the other. */
export type StackRole = 'run' | 'build';

/** What stack.yaml says: the promise that an image makes to buildpacks (CNB platform spec, "Build Image", "Run Image", "Stacks"). */
export type Stack = {
  /** The name of the ABI, reverse DNS: `org.example.stack.trixie1`. */
  readonly id: string;
  readonly role: StackRole;
  /** The user that build phases, or apps, run as. */
  readonly uid: number;
  readonly gid: number;
  /** As `ID` and `VERSION_ID` of /etc/os-release say it. */
  readonly distro: { readonly name: string; readonly version: string };
  /** `curl` promises it of both images, `build:git` and `run:tzdata` of one. */
  readonly mixins: readonly string[];
};

/** The line of each key in stack.yaml, from 1. */
export type StackLines = Readonly<Record<keyof Stack, number>>;

const KEYS = ['id', 'role', 'uid', 'gid', 'distro', 'mixins'] as const;
const ROLES: readonly StackRole[] = ['run', 'build'];
const MAX_ID = 4294967294;

/** Reads stack.yaml. All keys but `mixins` must be there. */
export function parseStack(path: string, text: string): Checked<{ readonly stack: Stack; readonly lines: StackLines }> {
  const problems: Problem[] = [];
  const fields = markerFields(path, text, KEYS, problems);
  if (fields === undefined) return bad(problems);
  for (const key of KEYS) {
    if (key !== 'mixins' && !fields.keys.includes(key)) problems.push(errorAt(path, undefined, `${key} is missing`));
  }
  const role = fields.checkedText('role', (value) => (ROLES.some((known) => known === value) ? undefined : `is "run" or "build", not "${value}"`)) as StackRole | undefined;
  const distro = fields.mapping('distro');
  for (const key of distro?.keys ?? []) if (key !== 'name' && key !== 'version') distro!.problem(key, `is not known${nearHint(key, ['name', 'version']) || ' (there are: name, version)'}`);
  for (const key of ['name', 'version']) if (distro !== undefined && !distro.keys.includes(key)) problems.push(errorAt(path, fields.lineOf('distro'), `distro.${key} is missing`));
  const stack: Stack = {
    id: fields.checkedText('id', idFault) ?? '',
    role: role ?? 'run',
    uid: fields.number('uid', { whole: true, min: 1, max: MAX_ID }) ?? 0,
    gid: fields.number('gid', { whole: true, min: 1, max: MAX_ID }) ?? 0,
    distro: { name: distro?.checkedText('name', wordFault) ?? '', version: distro?.checkedText('version', wordFault) ?? '' },
    mixins: fields.texts('mixins', (mixin) => mixinFault(mixin, role)) ?? [],
  };
  if (problems.length > 0) return bad(problems);
  return good({ stack, lines: Object.fromEntries(KEYS.map((key) => [key, fields.lineOf(key)])) as StackLines });
}

/**
 * What the tool itself adds to a stack image's Dockerfile: its user, and what the lifecycle reads in a build image (CNB platform
 * spec, "Build Image"; `CNB_STACK_ID` for platforms before 0.12).
 */
export function stackInstructions({ id, role, uid, gid }: Stack): string {
  const env = role === 'build' ? [`ENV CNB_USER_ID=${uid} CNB_GROUP_ID=${gid} CNB_STACK_ID=${id}`] : [];
  return ['', '# From stack.yaml', ...env, `USER ${uid}:${gid}`, ''].join('\n');
}

/** The ABI's own name, which images carry in theirs: `trixie1` of `org.example.stack.trixie1`. */
export function abiOf({ id }: Stack): string {
  return id.slice(id.lastIndexOf('.') + 1);
}

/** What is wrong with a stack image's name, which is `PREFIX-ABI-ROLE`; undefined when nothing is. */
export function stackNameFault(name: string, stack: Stack): string | undefined {
  const abi = abiOf(stack);
  const tail = `${abi}-${stack.role}`;
  if (name === tail || name.endsWith(`-${tail}`)) return undefined;
  return `"${name}" is no name for the ${stack.role} image of stack ${stack.id}: it has to end in "${tail}"`;
}

/** Letters, digits, `.`, `-` (CNB platform spec, "Target data": of a target id), and a generation at the end, so that another ABI is another name. */
function idFault(text: string): string | undefined {
  if (!/^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(text)) return 'is no stack id ("org.example.stack.trixie1": letters, digits and - between dots)';
  if (!/\.[a-z][a-z0-9]*[0-9]$/.test(text)) return `must end in the ABI's name and generation ("${text.toLowerCase().replace(/^.*\.|[^a-z0-9]/g, '')}1"): an ABI that changes is another stack`;
  return undefined;
}

function wordFault(text: string): string | undefined {
  return /^[A-Za-z0-9._-]+$/.test(text) ? undefined : 'is not what /etc/os-release could say (letters, digits, . _ -)';
}

/** A stage in front of a mixin names the one image that has it (CNB RFC 0096, "mixins"). */
function mixinFault(mixin: string, role: StackRole | undefined): string | undefined {
  if (!/^(?:[a-z]+:)?[^\s:,"]+$/.test(mixin)) return 'is no mixin ("curl", "build:git", "run:tzdata")';
  const stage = /^([a-z]+):/.exec(mixin)?.[1];
  if (stage === undefined || stage === role || role === undefined) return undefined;
  return ROLES.some((known) => known === stage) ? `is of the ${stage} image, and this is the ${role} image` : 'begins with neither "build:" nor "run:"';
}
