import { describe, expect, it } from '@jest/globals';
import { basicAuthorization, parseChallenge, parseToken, tokenRequest } from '../../../../src/adapters/registry/registry-auth.js';

describe('parseChallenge', () => {
  it.each<[string, string | undefined, ReturnType<typeof parseChallenge>]>([
    ['Basic', 'Basic realm="Registry"', { scheme: 'basic' }],
    ['the case of the scheme does not matter', 'basic realm="Registry"', { scheme: 'basic' }],
    ['Bearer with its parameters', 'Bearer realm="https://auth.example.org/token",service="registry",scope="repository:a/b:pull,push"', { scheme: 'bearer', realm: 'https://auth.example.org/token', service: 'registry', scope: 'repository:a/b:pull,push' }],
    ['Bearer with bare and escaped values', 'Bearer realm=https://a.example.org/t, service="say \\"hi\\""', { scheme: 'bearer', realm: 'https://a.example.org/t', service: 'say "hi"', scope: undefined }],
    ['Bearer is preferred to Basic', 'Basic realm="x", Bearer realm="https://a.example.org/t"', { scheme: 'bearer', realm: 'https://a.example.org/t', service: undefined, scope: undefined }],
    ['Bearer without a realm is none', 'Bearer service="x"', undefined],
    ['a realm called basic is not the scheme', 'Negotiate realm="basic"', undefined],
    ['no header', undefined, undefined],
  ])('%s', (_, header, expected) => expect(parseChallenge(header)).toEqual(expected));
});

it('a login with letters beyond ASCII is sent as UTF-8', () => {
  expect(basicAuthorization({ username: 'Jürgen', password: 'pä:ß' })).toBe(`Basic ${Buffer.from('Jürgen:pä:ß').toString('base64')}`);
});

describe('tokenRequest', () => {
  const challenge = { scheme: 'bearer', realm: 'https://auth.example.org/token?x=1', service: 'registry', scope: undefined } as const;
  it('a password is sent in a GET for one scope', () => {
    const request = tokenRequest(challenge, 'repository:a/b:pull', { username: 'me', password: 'pw' })!;
    expect([request.method, request.url.href, request.headers]).toEqual([
      'GET',
      'https://auth.example.org/token?x=1&service=registry&scope=repository%3Aa%2Fb%3Apull',
      { authorization: 'Basic bWU6cHc=' },
    ]);
  });
  it('without a login the request is anonymous', () => expect(tokenRequest(challenge, 's', undefined)!.headers).toEqual({}));
  it('an identity token is traded in a POST, not in the address', () => {
    const request = tokenRequest(challenge, 's', { username: '', password: '', identityToken: 'refresh' })!;
    expect([request.method, request.url.href]).toEqual(['POST', 'https://auth.example.org/token?x=1']);
    expect(Object.fromEntries(new URLSearchParams(request.body!.toString()))).toEqual({ grant_type: 'refresh_token', refresh_token: 'refresh', client_id: 'build-images', scope: 's', service: 'registry' });
  });
  it('a realm that is no address gives no request', () => expect(tokenRequest({ ...challenge, realm: 'token' }, 's', undefined)).toBeUndefined());
});

describe('parseToken', () => {
  it.each<[string, string, ReturnType<typeof parseToken>]>([
    ['token', '{"token":"t","expires_in":300}', { token: 't', seconds: 300 }],
    ['access_token, its other name, serves a minute when nothing is said', '{"access_token":"t"}', { token: 't', seconds: 60 }],
    ['a token that would break a header is none', '{"token":"a\\r\\nb"}', undefined],
    ['no token', '{}', undefined],
    ['no JSON', '<html>', undefined],
  ])('%s', (_, body, expected) => expect(parseToken(Buffer.from(body))).toEqual(expected));
});
