/** A text and the signatures of exactly these bytes. */
export type SignedText = { readonly text: Buffer; readonly signature: Buffer };

/**
 * Takes a text apart that is signed in the clear (RFC 9580, 7). What is returned as text is what the signature has to be of, with
 * nothing before or behind it. Undefined: it is no such text, or holds anything beside it.
 */
export function splitCleartext(bytes: Uint8Array): SignedText | undefined {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').split('\n').map((line) => line.replace(/[ \t\r]+$/, ''));
  if (lines[0] !== '-----BEGIN PGP SIGNED MESSAGE-----') return undefined;
  let at = 1;
  while (/^Hash: /.test(lines[at] ?? '')) at++;
  if (lines[at++] !== '') return undefined;
  const begin = lines.indexOf(BEGIN_SIGNATURE, at);
  if (begin < 0) return undefined;
  const text: string[] = [];
  for (const line of lines.slice(at, begin)) {
    // Every line that begins with a dash is escaped.
    if (line.startsWith('-') && !line.startsWith('- ')) return undefined;
    text.push(line.startsWith('- ') ? line.slice(2) : line);
  }
  const signature = lines.slice(begin);
  while (signature.at(-1) === '') signature.pop();
  if (signature.at(-1) !== END_SIGNATURE || signature.indexOf(END_SIGNATURE) !== signature.length - 1) return undefined;
  return { text: Buffer.from(text.join('\n'), 'latin1'), signature: Buffer.from(`${signature.join('\n')}\n`, 'latin1') };
}

const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END_SIGNATURE = '-----END PGP SIGNATURE-----';
