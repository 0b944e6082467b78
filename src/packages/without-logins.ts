/**
 * A file of apt's without the logins in its URIs (RFC 3986 §3.2.1): sources and proxies may have some, no archive is asked with them,
 * and what is read of images is kept. Keys are as they are.
 */
export function withoutLogins(content: Uint8Array): Uint8Array {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (!bytes.includes('@')) return content;
  const text = bytes.toString('latin1');
  // A key: no text has such characters.
  if (/[\0-\x08\x0e-\x1f]/.test(text)) return content;
  const clean = text.replace(/(:\/\/)[^\s"'\/]*@/g, '$1');
  return clean === text ? content : Buffer.from(clean, 'latin1');
}
