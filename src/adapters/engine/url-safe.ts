/** A header's value as engines take it: JSON in base64 of the URL-safe alphabet, with its padding (RFC 4648 §5). */
export function urlSafe(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
