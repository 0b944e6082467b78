import type { Definition } from '../definition/definition.js';
import type { Stack } from '../definition/stack.js';
import type { FolderOwner, ImageContents, ImageReader } from './image-contents.js';
import type { ImageLog } from './ports.js';
import { stackLabels } from './stack-labels.js';
import { StepFailure } from './step-failure.js';

/** By stack id: the platform of the image of that stack that a run saw first. */
export type StackPlatforms = Map<string, { readonly name: string; readonly platform: string }>;

/** The files that tell whether a stack image keeps its promise. */
const STACK_FILES: readonly string[] = ['/etc/os-release', '/usr/lib/os-release', '/etc/passwd', '/etc/group'];

/** The digest of a tar without entries, which BuildKit makes a layer of where an instruction changes nothing. */
const EMPTY_LAYERS: ReadonlySet<string> = new Set([
  'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
  'sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652',
]);

/** Looks into a built stack image before it is published; throws a failed test that says all that is wrong with it. */
export async function checkStack(
  { name, control }: Definition,
  stack: Stack,
  ref: string,
  log: ImageLog,
  { images, platforms }: { readonly images: ImageReader; readonly platforms: StackPlatforms },
  signal: AbortSignal,
): Promise<void> {
  const image = await images.contentsOf(ref, STACK_FILES, signal);
  const faults = [...stackFaults(stack, image, stackLabels(stack, control, ''))];
  const platform = `${image.os}/${image.architecture}`;
  const first = platforms.get(stack.id);
  if (first === undefined) platforms.set(stack.id, { name, platform });
  else if (first.platform !== platform) faults.push(`it is for ${platform}, but ${first.name} of the same stack is for ${first.platform}`);
  log.line(`stack.yaml: ${faults.length === 0 ? `the image is the ${stack.role} image of ${stack.id} that it promises` : 'the image is not what it promises'}`);
  for (const fault of faults) log.line(`  ${fault}`);
  if (faults.length > 0) throw new StepFailure('test', `it is not the ${stack.role} image that stack.yaml promises`, faults);
}

/**
 * Where a built stack image is not what stack.yaml promises, or what a rebase would stumble over; nothing when all is well. A
 * rebase finds an app's layers by the run image's topmost one and by one history entry per layer, so a layer that comes twice
 * and a history that does not fit end in damaged apps.
 */
export function stackFaults(stack: Stack, image: ImageContents, labels: Readonly<Record<string, string | undefined>>): readonly string[] {
  return [...systemFaults(stack, image), ...userFaults(stack, image), ...environmentFaults(stack, image), ...labelFaults(labels, image), ...layerFaults(image)];
}

function systemFaults({ distro }: Stack, { os, architecture, files }: ImageContents): readonly string[] {
  const faults: string[] = [];
  if (os !== 'linux') faults.push(`its os is "${os}", not linux`);
  if (architecture === '') faults.push('its config names no architecture');
  const text = files.get('/etc/os-release') ?? files.get('/usr/lib/os-release');
  if (text === undefined) return [...faults, 'it has no /etc/os-release'];
  const release = (key: string): string => new RegExp(`^${key}=["']?([^"'\\n]*)["']?\\s*$`, 'm').exec(text)?.[1] ?? '';
  if (release('ID') !== distro.name || release('VERSION_ID') !== distro.version) {
    faults.push(`/etc/os-release says ${release('ID') || 'no ID'} ${release('VERSION_ID') || 'without VERSION_ID'}, and stack.yaml says ${distro.name} ${distro.version}`);
  }
  return faults;
}

/** passwd(5): name, password, uid, gid, comment, home, shell. */
function userFaults({ uid, gid }: Stack, { user, files, folders }: ImageContents): readonly string[] {
  const faults: string[] = [];
  if (user !== `${uid}:${gid}`) faults.push(`its user is "${user}", not ${uid}:${gid}: does its Dockerfile end in the middle of an instruction?`);
  const account = (files.get('/etc/passwd') ?? '').split('\n').map((line) => line.split(':')).find((fields) => fields[2] === String(uid));
  if (account === undefined) return [...faults, `/etc/passwd has no user with uid ${uid}`];
  const [name, , , primary, , home] = account;
  if (primary !== String(gid)) faults.push(`user ${name} (${uid}) has the primary group ${primary}, and stack.yaml says gid ${gid}`);
  if (!(files.get('/etc/group') ?? '').split('\n').some((line) => line.split(':')[2] === String(gid))) faults.push(`/etc/group has no group with gid ${gid}`);
  const folder = home === undefined || home === '' ? undefined : folders.get(home.replace(/(.)\/+$/, '$1'));
  if (folder === undefined) faults.push(`user ${name} has no home: there is no folder ${home || '(none is named)'}`);
  else if (!mayWrite(folder, uid, gid)) faults.push(`user ${name} cannot write to its home ${home} (it is ${folder.uid}:${folder.gid}'s, mode ${folder.mode.toString(8)})`);
  return faults;
}

function mayWrite(folder: FolderOwner, uid: number, gid: number): boolean {
  if (folder.uid === uid) return (folder.mode & 0o200) !== 0;
  return (folder.mode & (folder.gid === gid ? 0o020 : 0o002)) !== 0;
}

function environmentFaults({ id, role, uid, gid }: Stack, { env }: ImageContents): readonly string[] {
  const faults: string[] = [];
  // Without it apps get a PATH that ends in an empty element, and lose /usr/bin.
  if ((env['PATH'] ?? '') === '') faults.push('PATH is not set in it');
  const wanted = role === 'build' ? { CNB_USER_ID: String(uid), CNB_GROUP_ID: String(gid), CNB_STACK_ID: id } : {};
  for (const [name, value] of Object.entries(wanted)) if (env[name] !== value) faults.push(`${name} is ${env[name] === undefined ? 'not set' : `"${env[name]}"`}, not "${value}"`);
  return faults;
}

function labelFaults(labels: Readonly<Record<string, string | undefined>>, image: ImageContents): readonly string[] {
  // `released` is the time of the build that made it, which may be an earlier run's.
  return Object.entries(labels).flatMap(([key, value]) => (key.endsWith('.released') || (image.labels[key] ?? '') === (value ?? '') ? [] : [`label ${key} is "${image.labels[key] ?? ''}", not "${value ?? ''}"`]));
}

function layerFaults({ diffIds, history }: ImageContents): readonly string[] {
  const made = history.filter(({ emptyLayer }) => !emptyLayer);
  const fits = made.length === diffIds.length;
  const faults = fits ? [] : [`its history has ${made.length} entries with a layer for ${diffIds.length} layers`];
  const by = (index: number): string => (fits && made[index]!.createdBy !== '' ? ` (${made[index]!.createdBy.replace(/\s+/g, ' ').slice(0, 80)})` : '');
  for (const [index, diffId] of diffIds.entries()) {
    const first = diffIds.indexOf(diffId);
    if (EMPTY_LAYERS.has(diffId)) faults.push(`layer ${index + 1} of ${diffIds.length} is empty${by(index)}: leave that instruction out, or join it with another`);
    else if (first !== index) faults.push(`layer ${index + 1} of ${diffIds.length} is layer ${first + 1} once more${by(index)}`);
  }
  return faults;
}
