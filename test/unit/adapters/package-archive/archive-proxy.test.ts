import { describe, expect, it } from '@jest/globals';
import { createProxyFor, proxyLogin } from '../../../../src/adapters/package-archive/archive-proxy.js';

const ENV = { http_proxy: 'http://proxy.example.org:3128', HTTPS_PROXY: 'secure.example.org:8080', no_proxy: 'deb.example.org, .lab.example.org,10.0.0.1:81' };

describe('the proxy before an archive', () => {
  it.each<[string, string | undefined, Readonly<Record<string, string>>, string, string | undefined]>([
    ['none', undefined, {}, 'http://a.example.org/', undefined],
    ['that of the environment', undefined, ENV, 'http://a.example.org/', 'http://proxy.example.org:3128/'],
    ['another one for https, without a scheme', undefined, ENV, 'https://a.example.org/', 'http://secure.example.org:8080/'],
    ['none for a host that has none', undefined, ENV, 'http://deb.example.org/', undefined],
    ['none below it', undefined, ENV, 'http://x.deb.example.org/', undefined],
    ['none for a domain', undefined, ENV, 'http://x.lab.example.org/', undefined],
    ['one for a name that only ends alike', undefined, ENV, 'http://xdeb.example.org/', 'http://proxy.example.org:3128/'],
    ['none for a port of a host', undefined, ENV, 'http://10.0.0.1:81/', undefined],
    ['one for its other ports', undefined, ENV, 'http://10.0.0.1/', 'http://proxy.example.org:3128/'],
    ['none for all', undefined, { ...ENV, no_proxy: '*' }, 'http://a.example.org/', undefined],
    ['not the header of a request', undefined, { HTTP_PROXY: 'http://evil.example.org' }, 'http://a.example.org/', undefined],
    ['the one of the config, whatever the environment says', 'http://apt.example.org:3142', ENV, 'http://deb.example.org/', 'http://apt.example.org:3142/'],
    ['the one of the config for https', 'http://apt.example.org:3142', {}, 'https://deb.example.org/', 'http://apt.example.org:3142/'],
    ['none where it cannot be read', 'http://[', {}, 'http://a.example.org/', undefined],
  ])('is %s', (_, configured, env, url, expected) => {
    expect(createProxyFor(configured, env)(new URL(url))?.href).toBe(expected);
  });
  it('is given its login, and nothing without one', () => {
    expect([proxyLogin(new URL('http://me:s%40x@proxy')), proxyLogin(new URL('http://proxy'))]).toEqual([{ 'proxy-authorization': `Basic ${Buffer.from('me:s@x').toString('base64')}` }, {}]);
  });
});
