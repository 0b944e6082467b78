import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ping } from './engine.mjs';
import { lastLines, main, readText, run, say, sleep, Stop, waitFor } from './shell.mjs';

/** The engines that build-images is tested on. `version`: how the version of that Debian's engine begins. */
export const ENGINES = {
  bookworm: { suite: 'bookworm', version: '20.10.', containerd: false, title: "Debian 12's engine" },
  trixie: { suite: 'trixie', version: '26.1.', containerd: false, title: "Debian 13's engine" },
  'trixie-containerd': { suite: 'trixie', version: '26.1.', containerd: true, title: "Debian 13's engine with the containerd store" },
};

/** Roots of the two Debians, and while engines run, what they hold. May be removed at any time when none runs. */
const PLACE = '/var/cache/build-images-test';
const PACKAGES = ['docker.io', 'iptables', 'ca-certificates', 'mount', 'xz-utils', 'apparmor'];
/** An older root is made again, with the engine that Debian has by then. */
const OLDEST_ROOT_DAYS = 30;

/** In a root since it was made. */
const MADE = '.made-for-build-images';

const running = new Map();

/** The machine's own engine: its title, and its name in ENGINES if it is one of them. */
export async function machineEngine() {
  const { output } = await run('docker', ['info', '--format', '{{.ServerVersion}} {{json .DriverStatus}}']);
  const containerd = output.includes('io.containerd.snapshotter');
  const name = Object.keys(ENGINES).find((one) => output.startsWith(ENGINES[one].version) && ENGINES[one].containerd === containerd);
  return { name, title: ENGINES[name]?.title ?? `this machine's engine ${output.split(' ')[0]}` };
}

/**
 * Starts one of ENGINES beside the machine's own, on an empty store. Resolves to the environment that makes tests, the program and
 * `docker` use it. It ends with this process, however that ends; what it leaves is removed by the next one.
 */
export async function startOtherEngine(name) {
  if (process.getuid() !== 0) throw new Stop(`${ENGINES[name].title} can be started by root only`);
  await removeLeftovers();
  const root = await rootOf(ENGINES[name].suite);
  const bridge = `bit${process.pid}${Object.keys(ENGINES).indexOf(name)}`;
  const folder = join(PLACE, 'engines', `${process.pid}-${bridge}`);
  const engine = { name, folder, bridge, child: undefined };
  running.set(name, engine);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const daemon = await daemonCommand(name, root);
  await bringUpBridge(bridge);

  const socketPath = join(folder, 'docker.sock');
  const log = openSync(join(folder, 'dockerd.log'), 'w', 0o600);
  const paths = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'docker.pid')];
  // A group of its own: Ctrl-C reaches this process alone, which then ends it in order.
  engine.child = spawn('setpriv', ['--pdeathsig', 'SIGTERM', ...daemon, '--host', `unix://${socketPath}`, ...paths, '--bridge', bridge, '--iptables=false'], { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let ended = false;
  engine.child.on('error', () => (ended = true)).on('exit', () => (ended = true));
  if (!(await waitFor(async () => ended || (await ping({ socketPath })), 60)) || ended) {
    const words = lastLines(readText(join(folder, 'dockerd.log')), 3);
    await stopOtherEngine(name);
    throw new Stop(`${ENGINES[name].title} does not start:\n${words}`);
  }
  return { DOCKER_HOST: `unix://${socketPath}`, TEST_ENGINE_SOCKET: socketPath, TEST_ENGINE_COMMAND: JSON.stringify(daemon) };
}

/** Ends an engine that this process started and takes away everything of it. */
export async function stopOtherEngine(name) {
  const engine = running.get(name);
  if (engine === undefined) return;
  const { child } = engine;
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await Promise.race([exit, sleep(20_000)]);
  }
  await removeEngine(engine);
  running.delete(name);
}

/** Ends all of them. */
export async function stopOtherEngines() {
  for (const name of [...running.keys()]) await stopOtherEngine(name);
}

/** dockerd of another Debian, as the beginning of a command line. */
async function daemonCommand(name, root) {
  const { containerd } = ENGINES[name];
  const config = join(PLACE, containerd ? 'containerd-store.json' : 'graph-driver.json');
  writeFileSync(config, JSON.stringify({ features: { 'containerd-snapshotter': containerd } }));
  const script = fileURLToPath(new URL('in-root.sh', import.meta.url));
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', script, root, `${PLACE}:${tmpdir()}`, 'dockerd', '--config-file', config];
}

/** The folder of a Debian with an engine in it; made (20 s) when there is none, and whole as soon as it has its name. */
async function rootOf(suite) {
  const root = join(PLACE, suite);
  if (isYoung(root)) return root;
  const making = `${root}.making-${process.pid}`;
  say(`making a Debian ${suite} with an engine in ${root} (once)`);
  const make = () => run('mmdebstrap', ['--quiet', '--variant=essential', '--aptopt=Acquire::Retries "3"', `--include=${PACKAGES.join(',')}`, suite, making]);
  let made = await make();
  if (made.code !== 0) {
    await removeTree(making);
    made = await make();
  }
  if (made.code !== 0) throw new Stop(`mmdebstrap could not make a Debian ${suite}:\n${lastLines(made.output)}`);
  writeFileSync(join(making, MADE), '');
  if (!isYoung(root)) {
    await removeTree(root);
    renameSync(making, root);
  }
  await removeTree(making);
  return root;
}

function isYoung(root) {
  const made = statSync(join(root, MADE), { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs < OLDEST_ROOT_DAYS * 86_400_000;
}

/** A bridge whose containers reach the network, though this engine leaves the machine's packet filter alone: a second engine would rewrite the first one's rules. */
async function bringUpBridge(bridge) {
  const { output } = await run('ip', ['-o', '-4', 'addr']);
  const free = Array.from({ length: 39 }, (_, index) => `10.231.${217 + index}`).filter((net) => !output.includes(`${net}.`));
  const net = free[randomInt(free.length)];
  for (const [command, ...args] of [
    ['ip', 'link', 'add', 'name', bridge, 'type', 'bridge'],
    ['ip', 'addr', 'add', `${net}.1/24`, 'dev', bridge],
    ['ip', 'link', 'set', bridge, 'up'],
    ...rulesOf(bridge, net).map((rule) => ['iptables', '-w', ...rule]),
  ]) {
    const result = await run(command, args);
    if (result.code !== 0) throw new Stop(`${command} ${args.join(' ')}: ${result.output.trim()}`);
  }
}

function rulesOf(bridge, net) {
  return [
    ['-t', 'nat', '-A', 'POSTROUTING', '-s', `${net}.0/24`, '!', '-o', bridge, '-j', 'MASQUERADE'],
    ['-I', 'FORWARD', '-i', bridge, '-j', 'ACCEPT'],
    ['-I', 'FORWARD', '-o', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ACCEPT'],
  ];
}

async function removeEngine({ folder, bridge }) {
  await killAllOf(folder);
  for (const table of ['nat', 'filter']) {
    const { output } = await run('iptables', ['-w', '-t', table, '-S']);
    const rules = output.split('\n').filter((line) => line.startsWith('-A ') && line.split(' ').includes(bridge));
    for (const rule of rules) await run('iptables', ['-w', '-t', table, '-D', ...rule.split(' ').slice(1)]);
  }
  await run('ip', ['link', 'del', bridge]);
  await removeTree(folder);
}

/** An engine that was killed leaves its containerd and shims behind: they are known by the folder on their command line. */
async function killAllOf(folder) {
  const all = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && readText(`/proc/${pid}/cmdline`).includes(`${folder}/`));
  for (const pid of all()) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  await waitFor(() => all().length === 0, 10);
}

/** What runs that were killed left: engines, bridges, half-made roots. */
async function removeLeftovers() {
  mkdirSync(join(PLACE, 'engines'), { recursive: true, mode: 0o755 });
  for (const name of readdirSync(PLACE)) {
    const pid = /\.making-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isOurs(pid)) await removeTree(join(PLACE, name));
  }
  for (const name of readdirSync(join(PLACE, 'engines'))) {
    const [pid, bridge] = name.split('-');
    if (!isOurs(pid)) await removeEngine({ folder: join(PLACE, 'engines', name), bridge });
  }
}

/** Whether a process lives that may have made what is named after it. */
function isOurs(pid) {
  return /\/scripts\/(?:test|engines)\.mjs/.test(`/${readText(`/proc/${pid}/cmdline`).replaceAll('\0', '/')}`);
}

/** Removes a folder, but never what is mounted below it. */
async function removeTree(folder) {
  const mounts = readText('/proc/self/mounts').split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse()) await run('umount', ['--lazy', mount]);
  await run('rm', ['--recursive', '--force', '--one-file-system', folder]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const name = process.argv[2];
    if (!Object.hasOwn(ENGINES, name ?? '')) throw new Stop(`node scripts/engines.mjs ${Object.keys(ENGINES).join(' | ')}`, undefined, 2);
    const environment = await startOtherEngine(name);
    for (const [variable, value] of Object.entries(environment)) say(`export ${variable}='${value}'`);
    say('Ctrl-C ends it.');
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
    await stopOtherEngines();
    return 0;
  });
}
