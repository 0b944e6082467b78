/** Fields of a dpkg record that tell nothing of what can be upgraded, and are most of its bytes. */
const IDLE = new Set(
  'description conffiles maintainer original-maintainer homepage section tag installed-size suggests enhances build-ids built-using static-built-using bugs config-version task md5sum filename size'.split(' '),
);

/** A dpkg status without what nobody reads (deb-control(5): a line that begins with a blank belongs to the field above it); half its size or less. */
export function distillStatus(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  let idle = false;
  const kept = text.split('\n').filter((line) => {
    if (line.startsWith(' ') || line.startsWith('\t')) return !idle;
    const colon = line.indexOf(':');
    idle = colon > 0 && (IDLE.has(line.slice(0, colon).toLowerCase()) || /^description-/i.test(line));
    return !idle;
  });
  return Buffer.from(kept.join('\n'), 'latin1');
}
