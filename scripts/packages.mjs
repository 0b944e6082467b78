import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { lastLines, readText, run, say, Stop, whereIs } from './shell.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const SAVED_POLICY = `${POLICY}.before-build-images`;
const POLICY_MARK = '# Written by build-images while it installs packages; goes away when that is done.';

/**
 * What a machine needs, as `{ what, packages }`, less what it has. A docker client is no engine: where none answers, dockerd is
 * looked for.
 */
export async function missingTools({ engineAnswers, forTests }) {
  const missing = [];
  const need = (has, what, ...packages) => has || missing.push({ what, packages });
  const command = (name, ...packages) => need(whereIs(name) !== undefined, name, ...packages);

  if (!engineAnswers) {
    command('dockerd', 'docker.io');
    command('iptables', 'iptables');
    // With AppArmor in the kernel and no parser, the engine starts but no container does.
    if (readText('/sys/module/apparmor/parameters/enabled').startsWith('Y')) command('apparmor_parser', 'apparmor');
    if (!hasSystemd()) need(hasControlGroups() || whereIs('cgroupfs-mount') !== undefined, 'control groups', 'cgroupfs-mount');
  }
  // Debian 12 has the client in docker.io, Debian 13 in a package of its own.
  if (whereIs('docker') === undefined) need(false, 'docker', (await isInArchive('docker-cli')) ? 'docker-cli' : 'docker.io');
  command('docker-registry', 'docker-registry');
  command('mmdebstrap', 'mmdebstrap');
  // What archives of packages send is unpacked and checked.
  command('xz', 'xz-utils');
  need(whereIs('gpgv') !== undefined || whereIs('sqv') !== undefined, 'gpgv', 'gpgv');
  command('git', 'git');
  need(existsSync('/etc/ssl/certs/ca-certificates.crt'), "the system's CA certificates", 'ca-certificates');
  if (forTests) {
    command('skopeo', 'skopeo');
    command('openssl', 'openssl');
    command('apt-ftparchive', 'apt-utils');
    command('debuerreotype-init', 'debuerreotype');
    command('debootstrap', 'debootstrap');
    command('wget', 'wget');
    command('gpgv', 'gpgv');
    command('sqv', 'sqv');
    command('bzip2', 'bzip2');
    command('zstd', 'zstd');
    command('gpg', 'gpg');
    command('gpg-agent', 'gpg-agent');
    command('ip', 'iproute2');
    command('systemd-analyze', 'systemd');
    command('iptables', 'iptables');
    // From 23 on, docker's client builds with BuildKit through a plug-in only; where Debian has one, its client needs it.
    if (await isInArchive('docker-cli')) need((await run('docker', ['buildx', 'version'])).code === 0, "docker's buildx", 'docker-buildx');
    command('ssh', 'openssh-client');
    need(existsSync('/usr/sbin/sshd'), 'sshd', 'openssh-server');
    command('python3', 'python3');
    for (const [module, name] of [['jinja2', 'python3-jinja2'], ['debian', 'python3-debian'], ['yaml', 'python3-yaml'], ['apt_pkg', 'python3-apt'], ['pyte', 'python3-pyte'], ['ensurepip', 'python3-venv']]) {
      need((await run('/usr/bin/python3', ['-c', `import ${module}`])).code === 0, `Python's ${module}`, name);
    }
  }
  return missing;
}

/** Installs packages without asking, and without starting what they bring; where that cannot be done, says exactly what is missing. */
export async function install(missing) {
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((tool) => tool.packages))];
  const list = missing.map(({ what, packages: names }) => `  ${what} (Debian: ${names.join(', ')})`).join('\n');
  const byHand = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (whereIs('apt-get') === undefined) throw new Stop(`missing, and this machine has no apt-get to install it with:\n${list}`);
  if (process.getuid() !== 0) throw new Stop(`missing, and only root may install it:\n${list}`, `sudo ${byHand}`);

  say(`installing ${packages.join(' ')}`);
  if (packages.includes('docker-registry')) maskRegistryService();
  const result = await withoutServiceStarts(() => aptInstall(packages));
  if (result.code !== 0) throw new Stop(`apt-get could not install ${packages.join(' ')}:\n${lastLines(result.output)}`, `apt-get update && ${byHand}`);
  if (packages.includes('docker-registry') && whereIs('update-rc.d') !== undefined) await run('update-rc.d', ['docker-registry', 'disable']);
}

export function hasSystemd() {
  return existsSync('/run/systemd/system');
}

/** Whether something mounted the control groups: an engine without systemd needs that done. */
export function hasControlGroups() {
  return / \/sys\/fs\/cgroup(\/\S+)? cgroup2? /.test(readText('/proc/mounts'));
}

/** Package lists that are empty are fetched, others only if the install fails with them; a second try for a mirror's bad moment. */
async function aptInstall(packages) {
  if (!hasPackageLists()) await aptGet('update');
  const tryInstall = () => aptGet('install', '--yes', '--no-install-recommends', ...packages);
  let result = await tryInstall();
  for (let tries = 1; result.code !== 0 && tries < 3; tries++) {
    say('apt-get failed; fetching the package lists and trying again');
    await aptGet('update');
    result = await tryInstall();
  }
  return result;
}

function aptGet(...args) {
  const options = ['-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'];
  return run('apt-get', ['--quiet', ...options, ...args], { env: { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_SUSPEND: '1' } });
}

function hasPackageLists() {
  return existsSync('/var/lib/apt/lists') && readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
}

async function isInArchive(name) {
  if (whereIs('apt-cache') === undefined) return false;
  // apt-get asks for no lock here, and a fresh machine has no lists that could tell.
  if (!hasPackageLists() && process.getuid() === 0) await aptGet('update');
  return (await run('apt-cache', ['--no-all-versions', 'show', name])).code === 0;
}

/** Debian's package would serve all interfaces at :5000 from the next boot on, too. An admin's own choice is left. */
function maskRegistryService() {
  const unit = '/etc/systemd/system/docker-registry.service';
  if (lstatSync(unit, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync('/etc/systemd/system', { recursive: true });
  symlinkSync('/dev/null', unit);
}

/** Debian Policy 9.11 (policy-rc.d): 101 forbids the start of services. The machine's own file is put back, also after a run that was killed. */
async function withoutServiceStarts(body) {
  restorePolicy();
  if (existsSync(POLICY)) renameSync(POLICY, SAVED_POLICY);
  writeFileSync(POLICY, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`, { mode: 0o755 });
  process.once('exit', restorePolicy);
  try {
    return await body();
  } finally {
    restorePolicy();
    process.removeListener('exit', restorePolicy);
  }
}

function restorePolicy() {
  if (readText(POLICY).includes(POLICY_MARK)) rmSync(POLICY);
  if (existsSync(SAVED_POLICY) && !existsSync(POLICY)) renameSync(SAVED_POLICY, POLICY);
}
