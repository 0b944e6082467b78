import { describe, expect, it } from '@jest/globals';
import type { EngineAddress } from '../../../../src/adapters/engine/engine-address.js';
import { engineGone } from '../../../../src/adapters/engine/engine-gone.js';
import { sshFault } from '../../../../src/adapters/engine/ssh-fault.js';

const unix: EngineAddress = { via: 'unix', socketPath: '/s' };
const tcp: EngineAddress = { via: 'tcp', host: 'a.example', port: 2375, prefix: '' };
const tls: EngineAddress = { ...tcp, tls: { verify: true } };
const certified: EngineAddress = { ...tcp, tls: { verify: true, cert: 'c', key: 'k' } };
const ssh = { via: 'ssh', host: 'a.example', user: 'me' } as const;

describe('an engine that does not answer', () => {
  it.each<[string, EngineAddress, string, string, RegExp, RegExp]>([
    ['a refused connection here', unix, 'ECONNREFUSED', '', /^the Docker engine at \/s does not answer \(connection refused\)$/, /^systemctl start docker$/],
    ['a refused connection elsewhere', tcp, 'ECONNREFUSED', '', /^the Docker engine at tcp:\/\/a\.example:2375 does not answer \(connection refused\)$/, /over there/],
    ['a refused connection at the port without TLS', tls, 'ECONNREFUSED', '', /\(connection refused\)$/, /tcp:\/\/a\.example:2376/],
    ['a name that no host has', tcp, 'ENOTFOUND', '', /does not answer \(no host has that name\)$/, /docker info/],
    ['a time-out', tcp, 'ETIMEDOUT', '', /does not answer \(connect: timed out\)$/, /docker info/],
    ['another protocol', tcp, 'HPE_INVALID_CONSTANT', '', /does not answer \(what it answers is not HTTP\)$/, /docker info/],
    ['plain HTTP instead of TLS', tls, 'ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', /does not answer \(it speaks no TLS\)$/, /unset DOCKER_TLS_VERIFY/],
    ['the same of a context', { ...tls, context: 'far' }, 'EPROTO', 'packet length too long', /\(docker context "far"\) does not answer \(it speaks no TLS\)$/, /docker context inspect/],
    ['a certificate for another host', tls, 'ERR_TLS_CERT_ALTNAME_INVALID', '', /is not trusted \(its certificate is refused: it is for another host\)$/, /ca\.pem/],
    ['TLS that fails otherwise', tls, 'ERR_SSL_UNSUPPORTED_PROTOCOL', 'x', /does not answer \(TLS failed: ERR_SSL_UNSUPPORTED_PROTOCOL\)$/, /docker info/],
    ['a wish for a certificate', tls, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', /does not let us in \(it wants a client certificate\)$/, /in DOCKER_CERT_PATH$/],
    ['a certificate that is refused', certified, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', '', /does not let us in \(it refuses our client certificate\)$/, /--tlscacert/],
    ['a key that does not open', certified, 'ERR_OSSL_BAD_DECRYPT', 'error:1C800064:Provider routines::bad decrypt', /cannot be reached \(cert\.pem and key\.pem are of no use: bad decrypt\)$/, /without a passphrase/],
    ['words', unix, 'no answer in 1 s', '', /does not answer \(no answer in 1 s\)$/, /docker info/],
  ])('%s is told from the others', (_, address, why, message, text, hint) => {
    const fault = engineGone(address, why, message);
    expect(fault.exit).toBe(4);
    expect(fault.message).toMatch(text);
    expect(fault.hints.join('\n')).toMatch(hint);
  });
});

describe('an ssh that ended', () => {
  it.each<[string, number | string | null, string, string]>([
    ['its last line', 255, 'Welcome!\r\nssh: connect to host a.example port 22: Connection timed out\r\n\n', 'answer (ssh: connect to host a.example port 22: Connection timed out)'],
    ['nothing but a code', 1, '', 'answer (ssh ended with 1)'],
    ['nothing but a signal', null, '', 'answer (ssh ended with a signal)'],
    ['that it could not be started', 'EACCES', '', 'answer (EACCES)'],
    ['a refused key', 255, 'me@a.example: Permission denied (publickey,password).\n', 'let us in (me@a.example: Permission denied (publickey,password))'],
    ['a socket that is not for this user', 1, 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock', 'let us in (permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock)'],
    ['no docker, in bash', 127, 'bash: line 1: docker: command not found\n', 'answer (there is no docker program over there)'],
    ['no docker, in dash', 127, 'sh: 1: docker: not found\n', 'answer (there is no docker program over there)'],
    ['an unknown key', 255, 'No ED25519 host key is known for a.example and you have requested strict checking.\nHost key verification failed.\n', 'answer (its host key is not known)'],
    ['a changed key', 255, '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n', 'answer (its host key is another one than the known one)'],
  ])('is told by %s', (_, end, words, text) => {
    expect(sshFault(ssh, end, words)).toMatchObject({ exit: 4, message: `the Docker engine at ssh://me@a.example does not ${text}`, hints: ['ssh me@a.example docker version   must work as this user, and ask nothing'] });
  });

  it('says no more than a line can hold', () => {
    expect(sshFault(ssh, 255, 'x'.repeat(5000)).message.length).toBeLessThan(400);
  });
});
