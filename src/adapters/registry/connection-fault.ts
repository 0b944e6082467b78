/** What kept a request from being answered. `connect`, `idle` and `broken` may pass; the others stay until a person acts. */
export type ConnectionFaultKind = 'connect' | 'idle' | 'broken' | 'unknown-host' | 'certificate' | 'no-tls' | 'tls' | 'too-large';

/** No answer, in words that follow "registry.example.org: ". */
export class ConnectionFault extends Error {
  constructor(
    readonly kind: ConnectionFaultKind,
    message: string,
    /** The connection had served a request before: the peer may have closed it just as this one was sent. */
    readonly reused = false,
  ) {
    super(message);
    this.name = 'ConnectionFault';
  }

  /** Whether asking again may help. */
  get temporary(): boolean {
    return this.kind === 'connect' || this.kind === 'idle' || this.kind === 'broken';
  }
}

/** OpenSSL's ways to say that what came back is no TLS record; newer versions read HTTP's text as a length first. */
const NO_TLS = /wrong version number|packet length too long|http request|unknown protocol/;

const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not one that this machine trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not one that this machine trusts',
  UNABLE_TO_GET_ISSUER_CERT: 'its CA is not one that this machine trusts',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not one that this machine trusts',
  CERT_UNTRUSTED: 'its CA is not one that this machine trusts',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another host',
  HOSTNAME_MISMATCH: 'it is for another host',
};

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: refused',
  ETIMEDOUT: 'connect: timed out',
  EHOSTUNREACH: 'connect: no route to it',
  ENETUNREACH: 'connect: no route to it',
  EHOSTDOWN: 'connect: no route to it',
  EADDRNOTAVAIL: 'connect: no local address left',
  EAI_AGAIN: 'connect: its name cannot be looked up now',
};

/** What Node's error means. */
export function connectionFaultOf(error: Error, reused: boolean): ConnectionFault {
  if (error instanceof ConnectionFault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) return new ConnectionFault('certificate', `its certificate is refused: ${certificate}`);
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS_CERT')) return new ConnectionFault('certificate', `its certificate is refused: ${code}`);
  // Node says EPROTO when it was still writing, and ERR_SSL_… when it was reading; OpenSSL's words stand in both.
  if ((code === 'EPROTO' || code.startsWith('ERR_SSL_')) && NO_TLS.test(error.message)) return new ConnectionFault('no-tls', 'it speaks no TLS');
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return new ConnectionFault('tls', `TLS failed: ${code}`);
  if (code === 'ENOTFOUND') return new ConnectionFault('unknown-host', 'no host has that name');
  const connect = CONNECT[code];
  if (connect !== undefined) return new ConnectionFault('connect', connect);
  if (code.startsWith('HPE_')) return new ConnectionFault('broken', 'what it answers is not HTTP', reused);
  return new ConnectionFault('broken', 'the connection broke', reused);
}
