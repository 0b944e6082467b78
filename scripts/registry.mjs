import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasSystemd } from './packages.mjs';
import { lastLines, readText, run, say, Stop, waitFor, whereIs } from './shell.mjs';

const UNIT = 'build-images-registry.service';
/** Our registry sends its folder in this header, so that another one is not taken for it. */
const MARK = 'x-build-images-registry';
const SYSTEM_FOLDER = '/var/lib/build-images-registry';

/** The `registry:` of a config file, read without a YAML reader: this runs before anything is installed. */
export function registryOf(configText) {
  const written = /^registry:\s*(?:"([^"]*)"|'([^']*)'|([^\s#]+))/m.exec(configText);
  if (written === null) throw new Stop('config.yaml has no registry', 'registry: 127.0.0.1:5127');
  return written[1] ?? written[2] ?? written[3];
}

/**
 * Starts a registry of our own when `registry` is a port of this machine's loopback and nothing answers there. It outlives this
 * process. A registry elsewhere is used as it is.
 */
export async function startRegistry(registry) {
  const port = /^(?:127\.0\.0\.1|localhost):(\d+)$/.exec(registry)?.[1];
  if (port === undefined) return say(`publishing to ${registry}: not started by quickstart, used as it is`);
  const folder = process.getuid() === 0 ? SYSTEM_FOLDER : join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'build-images-registry');
  if (await isOurs(port, folder)) return;
  say(`starting a registry on 127.0.0.1:${port}, which keeps its images in ${folder}`);
  const owner = await ownerOf();
  const config = join(folder, 'config.yml');
  const images = join(folder, 'images');
  for (const path of [folder, images]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o700);
    chownSync(path, owner.uid, owner.gid);
  }
  writeFileSync(config, configOf(port, folder, images), { mode: 0o644 });
  const start = process.getuid() === 0 && hasSystemd() ? startUnit : startDetached;
  const fault = await start(folder, config, owner);
  if (fault === undefined && (await waitFor(() => isOurs(port, folder), 20))) return;
  throw new Stop(`the registry does not start on 127.0.0.1:${port}:\n${fault ?? lastLines(readText(join(folder, 'registry.log')), 3)}`);
}

/** True: our registry, root's included. False: nobody. Anything else that holds the port is a reason to stop. */
async function isOurs(port, folder) {
  const answer = await new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/v2/', agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.headers[MARK] ?? '');
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (fault) => resolve(fault.code === 'ECONNREFUSED' ? undefined : ''));
  });
  if (answer === undefined) return false;
  if (answer === folder || answer === SYSTEM_FOLDER) return true;
  throw new Stop(`127.0.0.1:${port} is taken by something that is not the registry of build-images`, 'another port in config.yaml (registry: 127.0.0.1:PORT)');
}

function configOf(port, folder, images) {
  return `# Written by npm run quickstart. Loopback only: it asks for no password.
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${images}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
  headers:
    X-Content-Type-Options: [nosniff]
    X-Build-Images-Registry: [${folder}]
`;
}

/** Debian's package brings a user for it; root is left alone where it can be. */
async function ownerOf() {
  const self = { name: undefined, uid: process.getuid(), gid: process.getgid() };
  if (self.uid !== 0) return self;
  const [name, , uid, gid] = (await run('getent', ['passwd', 'docker-registry'])).output.trim().split(':');
  return name === 'docker-registry' ? { name, uid: Number(uid), gid: Number(gid) } : self;
}

/** A unit of its own, so that the registry is there again after a reboot. */
async function startUnit(folder, config, owner) {
  const unit = `[Unit]
Description=Registry of build-images, loopback only
After=network.target

[Service]
${owner.name === undefined ? '' : `User=${owner.name}\n`}ExecStart=${whereIs('docker-registry')} serve ${config}
StandardOutput=append:${folder}/registry.log
StandardError=append:${folder}/registry.log
Restart=on-failure

[Install]
WantedBy=multi-user.target
`;
  writeFileSync(`/etc/systemd/system/${UNIT}`, unit);
  for (const args of [['daemon-reload'], ['enable', UNIT], ['restart', UNIT]]) {
    const result = await run('systemctl', args);
    if (result.code !== 0) return lastLines(result.output);
  }
  return undefined;
}

async function startDetached(folder, config, owner) {
  await stopFormer(folder, config);
  const log = openSync(join(folder, 'registry.log'), 'a', 0o600);
  const ids = process.getuid() === 0 ? { uid: owner.uid, gid: owner.gid } : {};
  const child = spawn(whereIs('docker-registry'), ['serve', config], { cwd: '/', detached: true, stdio: ['ignore', log, log], ...ids });
  child.on('error', () => undefined);
  child.unref();
  if (child.pid !== undefined) writeFileSync(join(folder, 'registry.pid'), `${child.pid}\n`);
  return undefined;
}

/** A registry that this folder had on another port: two on one storage would be one too many. */
async function stopFormer(folder, config) {
  const pid = readText(join(folder, 'registry.pid')).trim();
  const isFormer = () => pid !== '' && readText(`/proc/${pid}/cmdline`).split('\0').includes(config);
  if (!isFormer()) return;
  process.kill(Number(pid), 'SIGTERM');
  if (!(await waitFor(() => !isFormer(), 10))) throw new Stop(`the former registry (process ${pid}) does not end`, `kill -9 ${pid}`);
}
