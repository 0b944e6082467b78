import { EngineError } from '../../shared/errors.js';
import { connectionFaultOf } from '../registry/connection-fault.js';
import { engineName, type EngineAddress } from './engine-address.js';

/** What Node's errors say of an engine's certificate, or of TLS: those that connection-fault.ts has words for. */
const TLS_CODE = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_|SELF_|UNABLE_|HOSTNAME_|EPROTO)/;

/** An alert with which the other side turns our certificate, or the lack of one, down (RFC 8446, 6.2). */
const CLIENT_CERTIFICATE = /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE|ACCESS_DENIED)/;

/** `the Docker engine at … does not answer (…)`, with what to try. `why`: an errno or OpenSSL name, or some words. */
export function engineGone(address: EngineAddress, why: string, message = ''): EngineError {
  const name = `the Docker engine at ${engineName(address)}`;
  switch (why) {
    case 'ENOENT':
      return new EngineError(`${name} does not answer (no such socket)`, ['systemctl start docker   (if it is installed)', 'DOCKER_HOST=unix:///path   names another socket']);
    case 'ECONNREFUSED':
      return new EngineError(`${name} does not answer (connection refused)`, [address.via === 'unix' ? 'systemctl start docker' : wrongPort(address) ?? 'systemctl start docker   over there, where dockerd must listen on this port']);
    case 'EACCES':
    case 'EPERM':
      return new EngineError(`${name} does not let us in (permission denied)`, ['run as root, or join the group "docker" and log in again']);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'aborted':
      return new EngineError(`${name} does not answer (it closed the connection)`, ['journalctl -u docker   (it was stopped or has crashed)']);
    case 'WANTS_TLS':
      return new EngineError(`${name} does not answer (it wants TLS)`, ['DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH=DIRECTORY with ca.pem, cert.pem and key.pem']);
  }
  if (why.startsWith('ERR_OSSL_')) return new EngineError(`${name} cannot be reached (cert.pem and key.pem are of no use: ${message.split(':').at(-1)!})`, ['a key without a passphrase, and the certificate that belongs to it']);
  if (CLIENT_CERTIFICATE.test(why)) {
    const has = address.via === 'tcp' && address.tls?.cert !== undefined;
    return new EngineError(`${name} does not let us in (${has ? 'it refuses our client certificate' : 'it wants a client certificate'})`, [`cert.pem and key.pem, signed by the CA that dockerd's --tlscacert names, belong beside ca.pem${address.context === undefined ? ' in DOCKER_CERT_PATH' : ''}`]);
  }
  const fault = connectionFaultOf(Object.assign(new Error(message), { code: why }), false);
  if (fault.kind === 'certificate') return new EngineError(`${name} is not trusted (${fault.message})`, ['ca.pem must be the CA that signed it']);
  if (fault.kind === 'no-tls') return new EngineError(`${name} does not answer (${fault.message})`, [address.context === undefined ? 'unset DOCKER_TLS_VERIFY, if that is meant' : 'docker context inspect']);
  if (why.startsWith('HPE_') || TLS_CODE.test(why) || fault.kind === 'unknown-host' || (fault.kind === 'connect' && address.via !== 'unix')) return new EngineError(`${name} does not answer (${fault.message})`, ['docker info']);
  return new EngineError(`${name} does not answer (${why})`, ['docker info']);
}

function wrongPort(address: EngineAddress): string | undefined {
  return address.via === 'tcp' && address.port === 2375 && address.tls !== undefined ? `tcp://${address.host}:2376   is where engines with TLS usually listen` : undefined;
}
