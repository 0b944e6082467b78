import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchiveHttp, NoAnswer, type ArchiveAnswer, type ArchiveHttpOptions } from '../../../../src/adapters/package-archive/archive-http.js';
import { makeCertificate } from '../../../support/certificate.js';
import { quickClock } from '../../../support/quick-clock.js';

jest.setTimeout(60_000);

/** How archives are reached: over TLS, through proxies, from place to place. */
const folder = mkdtempSync(join(tmpdir(), 'archive-http-test-'));
const certificate = makeCertificate(folder);
const servers: Server[] = [];
let plain: string;
let tls: string;
let proxy: string;
/** What the proxy was asked for, and with which login. */
const asked: string[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** `/to/URL` sends there; `/503/N` is in trouble N times; all else is answered with who was asked for what. */
function answering(name: string): (request: IncomingMessage, response: ServerResponse) => void {
  const trouble = new Map<string, number>();
  return ({ url, headers }, response) => {
    const place = /^\/to\/(.*)$/.exec(url!)?.[1];
    if (place !== undefined) return void response.writeHead(302, { location: decodeURIComponent(place) }).end();
    const times = Number(/^\/503\/(\d+)/.exec(url!)?.[1] ?? 0);
    const before = trouble.get(url!) ?? 0;
    trouble.set(url!, before + 1);
    if (before < times) return void response.writeHead(503, { 'retry-after': '7' }).end('trouble');
    response.end(`${name} ${url!}${headers.authorization === undefined ? '' : ' with a login'}`);
  };
}

beforeAll(async () => {
  plain = `http://127.0.0.1:${await listen(createPlain(answering('plain')))}`;
  const tlsServer = createTls({ cert: readFileSync(certificate.certificateFile), key: readFileSync(certificate.keyFile) }, answering('tls'));
  tls = `https://localhost:${await listen(tlsServer as unknown as Server)}`;
  const middle = createPlain((request, response) => {
    asked.push(`${request.url!} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    response.end('through the proxy');
  });
  middle.on('connect', (request: IncomingMessage, client) => {
    asked.push(`CONNECT ${request.url!} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    if (request.url!.startsWith('refused')) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const [, port] = request.url!.split(':');
    const server = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      server.pipe(client).pipe(server);
    });
  });
  proxy = `http://me:secret@127.0.0.1:${await listen(middle)}`;
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  rmSync(folder, { recursive: true });
});

async function get(url: string, options: Partial<ArchiveHttpOptions> = {}, atMost = 1000): Promise<ArchiveAnswer> {
  const http = createArchiveHttp({ proxyFor: () => undefined, ca: certificate.ca, timeouts: { connect: 5, idle: 5 }, clock: quickClock(0), random: () => 0, userAgent: 'build-images', ...options });
  try {
    return await http.get(url, {}, atMost, AbortSignal.timeout(20_000));
  } finally {
    http.close();
  }
}
const text = async (...args: Parameters<typeof get>): Promise<string> => (await get(...args)).body.toString();
const throughProxy: Partial<ArchiveHttpOptions> = { proxyFor: () => new URL(proxy) };
const LOGIN = `Basic ${Buffer.from('me:secret').toString('base64')}`;

describe('an archive', () => {
  it('is asked over http and https', async () => {
    expect([await text(`${plain}/a`), await text(`${tls}/a`)]).toEqual(['plain /a', 'tls /a']);
  });
  it('whose certificate nobody trusts is not read', async () => {
    await expect(get(`${tls}/a`, { ca: undefined })).rejects.toThrow(new NoAnswer('its certificate is refused: its CA is not one that this machine trusts'));
  });
  it('gets no login that its URI has', async () => {
    expect(await text(plain.replace('//', '//user:secret@'))).toBe('plain /');
  });
  it('may send to another place, with no login either', async () => {
    const place = encodeURIComponent(`${tls.replace('//', '//user:secret@')}/b`);
    expect([await text(`${plain}/to/${place}`), await text(`${plain}/to/${encodeURIComponent('/c')}`)]).toEqual(['tls /b', 'plain /c']);
  });
  it('may not send from https to http', async () => {
    await expect(get(`${tls}/to/${encodeURIComponent(`${plain}/b`)}`)).rejects.toThrow(new NoAnswer(`sends from https to http (${new URL(plain).host})`));
  });
  it('that is in trouble is asked again, as it says when', async () => {
    const clock = quickClock(0);
    expect([await text(`${plain}/503/3`, { clock }), clock.waits]).toEqual(['plain /503/3', [7000, 7000, 7000]]);
    await expect(get(`${plain}/503/4`)).rejects.toThrow(new NoAnswer('answers 503'));
  });
  it('is listened to only so far', async () => {
    expect([(await get(`${plain}/abc`, {}, 10)).cut, (await get(`${plain}/abcd`, {}, 10)).cut, (await get(`${plain}/abcde`, {}, 10)).cut]).toEqual([false, true, true]);
  });
  it('that has no such host is not asked again', async () => {
    const clock = quickClock(0);
    await expect(get('http://nowhere.invalid/', { clock })).rejects.toThrow(/^does not answer \((no host has that name|connect: its name cannot be looked up now)\)$/);
  });
});

describe('a proxy', () => {
  it('is asked for what is there without TLS, with its login', async () => {
    asked.length = 0;
    expect([await text('http://deb.example.org/a?b', throughProxy), asked]).toEqual(['through the proxy', [`http://deb.example.org/a?b ${LOGIN}`]]);
  });
  it('is asked to connect to what is behind TLS, whose certificate counts', async () => {
    asked.length = 0;
    expect([await text(`${tls}/a`, throughProxy), asked]).toEqual(['tls /a', [`CONNECT ${new URL(tls).host} ${LOGIN}`]]);
    await expect(get(`${tls}/a`, { ...throughProxy, ca: undefined })).rejects.toThrow(/its certificate is refused/);
  });
  it('that refuses is named without its login', async () => {
    await expect(get('https://refused.example.org/', throughProxy)).rejects.toThrow(new NoAnswer(`does not answer (the proxy ${new URL(proxy).host} refuses (403))`));
  });
});
