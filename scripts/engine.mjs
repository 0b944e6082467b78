import { spawn } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasControlGroups, hasSystemd } from './packages.mjs';
import { lastLines, readText, run, say, Stop, waitFor, whereIs } from './shell.mjs';

const SOCKET = '/var/run/docker.sock';
const PID_FILE = '/var/run/docker.pid';
const LOG = '/var/log/build-images-dockerd.log';

/** Whether an engine answers where DOCKER_HOST, a docker context or the default socket says. Throws when it is there and this user may not use it. */
export async function engineAnswers() {
  const host = process.env.DOCKER_HOST || (contextName() === undefined ? `unix://${SOCKET}` : 'a context');
  if (host.startsWith('unix://')) return ping({ socketPath: host.slice('unix://'.length) });
  if (host.startsWith('tcp://') && !process.env.DOCKER_TLS_VERIFY) return ping({ host: new URL(host).hostname, port: new URL(host).port || 2375 });
  return (await run('docker', ['version', '--format', '{{.Server.Version}}'])).code === 0;
}

/** The docker context that is meant where DOCKER_HOST is not set; undefined: docker's default. */
function contextName() {
  let current;
  try {
    current = JSON.parse(readText(join(process.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'))).currentContext;
  } catch {
    // No such file, most likely.
  }
  const name = process.env.DOCKER_CONTEXT || current;
  return name === 'default' ? undefined : name || undefined;
}

/** Whether an engine answers at an address of node:http. */
export function ping(where) {
  return new Promise((resolve, reject) => {
    const request = get({ ...where, path: '/_ping', timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (fault) => {
      if (fault.code !== 'EACCES') return resolve(false);
      reject(new Stop(`${where.socketPath}: this user may not use the Docker engine`, 'run as root, or become a member of the group "docker"'));
    });
  });
}

/** Starts the machine's engine when none answers; one that runs is left alone. It outlives this process. */
export async function startEngine() {
  if (await engineAnswers()) return;
  const context = contextName();
  if (!process.env.DOCKER_HOST && context !== undefined) throw new Stop(`no Docker engine answers at the docker context "${context}"`, 'DOCKER_CONTEXT=default uses an engine of this machine');
  if (process.env.DOCKER_HOST) throw new Stop(`no Docker engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}`, 'unset DOCKER_HOST to use an engine of this machine');
  if (process.getuid() !== 0) throw new Stop('no Docker engine answers, and only root may start one', 'sudo systemctl start docker');
  say('starting the Docker engine');
  if (hasSystemd()) {
    const result = await run('systemctl', ['start', 'docker']);
    if (result.code === 0 && (await waitFor(engineAnswers, 60))) return;
    throw new Stop(`the Docker engine does not start:\n${lastLines(result.output)}`, 'journalctl --unit docker');
  }
  await startDetached();
}

async function startDetached() {
  if (!hasControlGroups() && whereIs('cgroupfs-mount') !== undefined) await run('cgroupfs-mount', []);
  forgetStalePid();
  const log = openSync(LOG, 'w', 0o600);
  const child = spawn('dockerd', [], { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  let ended = false;
  child.on('error', () => (ended = true));
  child.on('exit', () => (ended = true));
  const answers = await waitFor(async () => ended || (await engineAnswers()), 60);
  if (!answers || ended) throw new Stop(`the Docker engine does not start:\n${lastLines(readText(LOG), 3)}`, `read ${LOG}`);
  child.unref();
}

/** A pid file left by a machine that stopped may name another process by now; the engine then takes it for an engine. */
function forgetStalePid() {
  const pid = readText(PID_FILE).trim();
  if (pid !== '' && readText(`/proc/${pid}/comm`).trim() !== 'dockerd') rmSync(PID_FILE);
}
