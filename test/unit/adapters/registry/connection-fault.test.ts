import { describe, expect, it } from '@jest/globals';
import { ConnectionFault, connectionFaultOf } from '../../../../src/adapters/registry/connection-fault.js';

const coded = (code: string): Error => Object.assign(new Error('system text'), { code });

describe('connectionFaultOf', () => {
  it.each<[code: string, kind: string, temporary: boolean, words: RegExp]>([
    ['ECONNREFUSED', 'connect', true, /^connect: refused$/],
    ['EHOSTUNREACH', 'connect', true, /no route/],
    ['EAI_AGAIN', 'connect', true, /cannot be looked up now/],
    ['ENOTFOUND', 'unknown-host', false, /no host has that name/],
    ['ECONNRESET', 'broken', true, /broke/],
    ['HPE_INVALID_CONSTANT', 'broken', true, /not HTTP/],
    ['CERT_HAS_EXPIRED', 'certificate', false, /it has expired/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate', false, /for another host/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate', false, /CA is not one that this machine trusts/],
    ['CERT_CHAIN_TOO_LONG', 'certificate', false, /CERT_CHAIN_TOO_LONG/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls', false, /TLS failed/],
  ])('%s is %s', (code, kind, temporary, words) => {
    const fault = connectionFaultOf(coded(code), false);
    expect([fault.kind, fault.temporary]).toEqual([kind, temporary]);
    expect(fault.message).toMatch(words);
  });

  it.each<[string, string]>([
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'error:0A00010B:SSL routines:ssl3_get_record:wrong version number:'],
    ['EPROTO', 'write EPROTO error:0A00010B:SSL routines:ssl3_get_record:wrong version number:'],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'error:0A0000C6:SSL routines:tls_get_more_records:packet length too long:'],
  ])('%s of a peer that answers TLS with HTTP: it speaks no TLS', (code, text) => {
    expect(connectionFaultOf(Object.assign(new Error(text), { code }), false).kind).toBe('no-tls');
  });

  it('a fault of our own stays what it is', () => {
    const fault = new ConnectionFault('idle', 'no byte for 30s');
    expect(connectionFaultOf(fault, true)).toBe(fault);
  });
});
