/** Takes secrets out of texts. */
export type Redactor = {
  /** A secret that must not be seen from now on, nor its base64 or URL-encoded form. */
  hide(secret: string): void;
  /** A password, also as it stands in docker's config.json and in an Authorization header, together with its user (RFC 7617). */
  hideLogin(username: string, password: string): void;
  redact(text: string): string;
};

/** Shorter ones would take whole words out of ordinary texts; a password of that length hides nothing anyway. Characters. */
export const SHORTEST_HIDDEN = 4;

/** A redactor that knows no secret yet. */
export function createRedactor(): Redactor {
  const secrets = new Set<string>();
  const hide = (secret: string): void => {
    if (secret.length < SHORTEST_HIDDEN) return;
    for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) secrets.add(form);
  };
  return {
    hide,
    hideLogin(username, password) {
      hide(password);
      if (password !== '') hide(Buffer.from(`${username}:${password}`).toString('base64'));
    },
    redact(text) {
      let clean = text;
      for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, '***');
      // Also those that nobody told of: `http://user:password@proxy`. Quotes end it, so that JSON stays JSON.
      return clean.replace(/(\w:\/\/)[^\s/@:"']+:[^\s/@"']+@/g, '$1***@');
    },
  };
}
