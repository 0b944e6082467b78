import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A server's certificate in files, and the CA to trust for it, PEM. */
export type Certificate = { readonly ca: string; readonly certificateFile: string; readonly keyFile: string };

/** A CA of its own and a certificate signed by it; `names` as OpenSSL writes subjectAltName. */
export function makeCertificate(folder: string, names = 'DNS:localhost,IP:127.0.0.1'): Certificate {
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    const done = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...args], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr}`);
  };
  openssl('-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=registry-fixture CA');
  openssl(
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-keyout', file('server.key'), '-out', file('server.pem'), '-subj', '/CN=localhost'],
    ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  return { ca: readFileSync(file('ca.pem'), 'utf8'), certificateFile: file('server.pem'), keyFile: file('server.key') };
}
