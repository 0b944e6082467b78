import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_ADDRESS, engineName, parseEngineHost, resolveEngineAddress, type EngineAddress } from '../../../../src/adapters/engine/engine-address.js';
import { Fault } from '../../../../src/shared/errors.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-address-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (path: string, content: unknown): void => {
  const full = join(directory, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content));
};
const idOf = (name: string): string => createHash('sha256').update(name).digest('hex');
const context = (name: string, endpoint: object): void => write(`contexts/meta/${idOf(name)}/meta.json`, { Name: name, Metadata: {}, Endpoints: { docker: endpoint } });
const resolve = (env: Readonly<Record<string, string>> = {}): EngineAddress => resolveEngineAddress(env, directory);
const parse = (text: string): EngineAddress => parseEngineHost(text, 'DOCKER_HOST');
function faultOf(body: () => unknown): Fault {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).message).not.toMatch(/\n|secret/);
    expect((error as Fault).hints.join()).not.toMatch(/secret/);
    return error as Fault;
  }
  throw new Error('no fault');
}

describe('DOCKER_HOST', () => {
  it.each<[string, EngineAddress, string]>([
    ['unix:///run/x.sock', { via: 'unix', socketPath: '/run/x.sock' }, '/run/x.sock'],
    ['unix://', DEFAULT_ADDRESS, '/var/run/docker.sock'],
    ['tcp://a.example:1234', { via: 'tcp', host: 'a.example', port: 1234, prefix: '' }, 'tcp://a.example:1234'],
    ['tcp://a.example', { via: 'tcp', host: 'a.example', port: 2375, prefix: '' }, 'tcp://a.example:2375'],
    ['tcp://a.example:80', { via: 'tcp', host: 'a.example', port: 80, prefix: '' }, 'tcp://a.example:80'],
    ['a.example:99', { via: 'tcp', host: 'a.example', port: 99, prefix: '' }, 'tcp://a.example:99'],
    ['tcp://:99', { via: 'tcp', host: 'localhost', port: 99, prefix: '' }, 'tcp://localhost:99'],
    ['tcp://', { via: 'tcp', host: 'localhost', port: 2375, prefix: '' }, 'tcp://localhost:2375'],
    ['tcp://[::1]:3', { via: 'tcp', host: '::1', port: 3, prefix: '' }, 'tcp://[::1]:3'],
    ['tcp://a.example:1/engines/2/', { via: 'tcp', host: 'a.example', port: 1, prefix: '/engines/2' }, 'tcp://a.example:1/engines/2'],
    ['tcp://me:secret@a.example:1', { via: 'tcp', host: 'a.example', port: 1, prefix: '' }, 'tcp://a.example:1'],
    ['ssh://a.example', { via: 'ssh', host: 'a.example' }, 'ssh://a.example'],
    ['ssh://me@a.example:22/run/x.sock', { via: 'ssh', host: 'a.example', user: 'me', port: 22, socketPath: '/run/x.sock' }, 'ssh://me@a.example:22/run/x.sock'],
    ['ssh://me@a.example/', { via: 'ssh', host: 'a.example', user: 'me' }, 'ssh://me@a.example'],
    ['ssh://build_host', { via: 'ssh', host: 'build_host' }, 'ssh://build_host'],
  ])('%s', (text, address, name) => {
    expect(parse(text)).toEqual(address);
    expect(engineName(parse(text))).toBe(name);
    expect(resolve({ DOCKER_HOST: text })).toEqual(address);
  });

  it.each([
    ['http://me:secret@a.example:2375', /^DOCKER_HOST is http:\/\/a\.example:2375: an engine is named as tcp:/, /^DOCKER_HOST=tcp:\/\/a\.example:2375$/],
    ['https://a.example', /named as tcp:/, /DOCKER_TLS_VERIFY=1/],
    ['npipe:////./pipe/docker_engine', /on Windows only/, /unix:/],
    ['fd://', /is named by unix/, /ssh:/],
    ['tcp://a:b', /not a host and a port/, /tcp:/],
    ['tcp://a?x=1', /not a host and a port/, /tcp:/],
    ['ssh://', /not a user, a host and a port/, /ssh:/],
    ['ssh://me:secret@a.example', /^DOCKER_HOST is ssh:\/\/a\.example: ssh takes no password/, /ssh-copy-id/],
    ['ssh://-oProxyCommand=x', /not a user, a host and a port/, /ssh:/],
    ['ssh://a.example?x', /not a user, a host and a port/, /ssh:/],
  ])('%s is none: the command line\'s fault, with what to write', (text, message, hint) => {
    const fault = faultOf(() => parse(text));
    expect(fault.exit).toBe(2);
    expect(fault.message).toMatch(message);
    expect(fault.hints.join()).toMatch(hint);
  });
});

describe('which engine is meant', () => {
  beforeEach(() => {
    context('far', { Host: 'ssh://me@far.example' });
    context('near', { Host: 'unix:///run/near.sock' });
    write('config.json', { currentContext: 'near' });
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['DOCKER_HOST before everything', { DOCKER_HOST: 'unix:///run/x.sock', DOCKER_CONTEXT: 'far' }, '/run/x.sock'],
    ['DOCKER_CONTEXT before currentContext', { DOCKER_CONTEXT: 'far' }, 'ssh://me@far.example (docker context "far")'],
    ['currentContext before the default', {}, '/run/near.sock (docker context "near")'],
    ['an empty variable counts for nothing', { DOCKER_HOST: '', DOCKER_CONTEXT: '' }, '/run/near.sock (docker context "near")'],
    ['the context "default" is the default socket', { DOCKER_CONTEXT: 'default' }, '/var/run/docker.sock'],
  ])('%s', (_, env, name) => {
    expect(engineName(resolve(env))).toBe(name);
  });

  it.each([['no config.json', undefined], ['none in it', '{"auths":{}}'], ['an empty one', ''], ['an empty name', '{"currentContext":""}']])('the default socket, with %s', (_, text) => {
    rmSync(join(directory, 'config.json'));
    if (text !== undefined) write('config.json', text);
    expect(resolve()).toEqual(DEFAULT_ADDRESS);
  });

  it('a context that is not there is named, with who names it and those that are there', () => {
    const fault = faultOf(() => resolve({ DOCKER_CONTEXT: 'fra' }));
    expect(fault).toMatchObject({ exit: 2, message: 'there is no docker context "fra", which DOCKER_CONTEXT names; there are default, far, near (near: far)' });
    write('config.json', { currentContext: 'gone' });
    expect(faultOf(() => resolve()).message).toMatch(/"gone", which currentContext in \S+config\.json names/);
    rmSync(join(directory, 'contexts'), { recursive: true });
    expect(faultOf(() => resolve()).message).toMatch(/; there is default$/);
  });

  it('files that cannot be understood are named, not quoted', () => {
    write('config.json', '{"auths": "secret",,}');
    expect(faultOf(() => resolve())).toMatchObject({ exit: 2, message: `${directory}/config.json is not a JSON object` });
    write(`contexts/meta/${idOf('far')}/meta.json`, '[secret');
    expect(faultOf(() => resolve({ DOCKER_CONTEXT: 'far' })).message).toMatch(/meta\.json is not a JSON object$/);
    write(`contexts/meta/${idOf('far')}/meta.json`, '{"Name":"far"}');
    expect(faultOf(() => resolve({ DOCKER_CONTEXT: 'far' })).message).toBe('docker context "far" has no docker endpoint');
    mkdirSync(join(directory, `contexts/meta/${idOf('odd')}/meta.json`), { recursive: true });
    expect(faultOf(() => resolve({ DOCKER_CONTEXT: 'odd' })).message).toMatch(/cannot be read \(EISDIR\)$/);
  });

  it('an address that a context gives wrong is said to be that context\'s', () => {
    context('web', { Host: 'http://a.example' });
    expect(faultOf(() => resolve({ DOCKER_CONTEXT: 'web' })).message).toMatch(/^the address of docker context "web" is http:\/\/a\.example: /);
  });
});

describe('TLS', () => {
  const tlsOf = (env: Readonly<Record<string, string>>): unknown => (resolve({ DOCKER_HOST: 'tcp://a.example:1', ...env }) as { readonly tls?: unknown }).tls;
  beforeEach(() => {
    for (const file of ['ca', 'cert', 'key']) write(`tls/${file}.pem`, file);
    write('ca-alone/ca.pem', 'ca');
  });
  const folder = (name: string): { readonly DOCKER_CERT_PATH: string } => ({ DOCKER_CERT_PATH: join(directory, name) });

  it('is spoken with DOCKER_TLS_VERIFY, or unverified with DOCKER_TLS; certificates alone do not ask for it', () => {
    expect(tlsOf(folder('tls'))).toBeUndefined();
    expect(tlsOf({ DOCKER_TLS_VERIFY: '1', ...folder('tls') })).toEqual({ verify: true, ca: 'ca', cert: 'cert', key: 'key' });
    expect(tlsOf({ DOCKER_TLS: '1', ...folder('tls') })).toEqual({ verify: false, ca: 'ca', cert: 'cert', key: 'key' });
    expect(tlsOf({ DOCKER_TLS: '1' })).toEqual({ verify: false });
    expect(tlsOf({ DOCKER_TLS_VERIFY: '1', ...folder('ca-alone') })).toEqual({ verify: true, ca: 'ca' });
  });

  it('without DOCKER_CERT_PATH the certificates are those beside config.json', () => {
    write('ca.pem', 'mine');
    expect(tlsOf({ DOCKER_TLS_VERIFY: '1' })).toEqual({ verify: true, ca: 'mine' });
  });

  it('with TLS and without a host the engine is the one at localhost:2376', () => {
    expect(engineName(resolve({ DOCKER_TLS_VERIFY: '1', ...folder('tls') }))).toBe('tcp://localhost:2376');
  });

  it('a CA that is to verify and is not there is the command line\'s fault, and so is half a client certificate', () => {
    expect(faultOf(() => tlsOf({ DOCKER_TLS_VERIFY: '1', ...folder('none') }))).toMatchObject({ exit: 2, message: `DOCKER_TLS_VERIFY is set, but there is no ca.pem in ${directory}/none` });
    write('half/ca.pem', 'ca');
    write('half/cert.pem', 'cert');
    expect(faultOf(() => tlsOf({ DOCKER_TLS_VERIFY: '1', ...folder('half') })).message).toMatch(/half: of cert\.pem and key\.pem only one is there/);
  });

  it.each<[string, object, readonly string[], unknown]>([
    ['is spoken when it has certificates', {}, ['ca', 'cert', 'key'], { verify: true, ca: 'ca', cert: 'cert', key: 'key' }],
    ['is spoken when it has a CA', {}, ['ca'], { verify: true, ca: 'ca' }],
    ['is spoken when it has a client certificate', {}, ['cert', 'key'], { verify: true, cert: 'cert', key: 'key' }],
    ['is spoken unverified when it says so', { SkipTLSVerify: true }, [], { verify: false }],
    ['is not spoken otherwise', { SkipTLSVerify: false }, [], undefined],
  ])('of a context %s, whatever the environment says', (_, endpoint, files, tls) => {
    context('far', { Host: 'tcp://a.example:1', ...endpoint });
    for (const file of files) write(`contexts/tls/${idOf('far')}/docker/${file}.pem`, file);
    const address = resolve({ DOCKER_CONTEXT: 'far', DOCKER_TLS_VERIFY: '1' });
    expect(address).toEqual({ via: 'tcp', host: 'a.example', port: 1, prefix: '', context: 'far', ...(tls === undefined ? {} : { tls }) });
  });
});
