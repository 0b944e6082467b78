/** One secret that builds may mount, and where its value is: a file, or an environment variable of ours. */
export type BuildSecret = {
  readonly id: string;
  /** A path as written in the config, or a variable; its name: a variable of that name if there is one, else a file. */
  readonly from: { readonly file: string } | { readonly variable: string } | 'its-name';
  /** The config that names it, and the line. */
  readonly path: string;
  readonly line: number;
};

const KEYS = ['id', 'type', 'src', 'source', 'env'];

/**
 * Reads a secret as `docker build --secret` takes it: `id=npm,src=./token`, `id=npm,env=NPM_TOKEN`, `id=NPM_TOKEN`; or says what is
 * wrong with it, without repeating any of it but the names of its keys, since it may be a secret that was written in the wrong place.
 */
export function parseBuildSecret(text: string): Omit<BuildSecret, 'path' | 'line'> | { readonly fault: string } {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const key = equals < 0 ? '' : part.slice(0, equals).trim().toLowerCase();
    if (!KEYS.includes(key)) return { fault: /^[a-z]+$/.test(key) ? `has the key "${key}"; there are: id, src, env, type` : 'is not made of "key=value", divided by commas: "id=npm,src=./token"' };
    const name = key === 'source' ? 'src' : key;
    if (fields.has(name)) return { fault: `has "${name}" twice` };
    fields.set(name, part.slice(equals + 1).trim());
  }
  const id = fields.get('id') ?? '';
  const type = fields.get('type') ?? '';
  if (!['', 'file', 'env'].includes(type)) return { fault: 'has a type that is neither file nor env' };
  if (id === '') return { fault: 'has no id, by which a Dockerfile names it: "id=npm,src=./token"' };
  // As in docker: with type=env the source is a variable.
  const file = type === 'env' ? undefined : fields.get('src');
  const variable = fields.get('env') ?? (type === 'env' ? fields.get('src') : undefined);
  if (file !== undefined && variable !== undefined) return { fault: 'has both src and env' };
  if (file === '' || variable === '') return { fault: `has an empty ${file === '' ? 'src' : 'env'}` };
  if (file !== undefined) return { id, from: { file } };
  if (variable !== undefined) return { id, from: { variable } };
  return { id, from: type === 'env' ? { variable: id } : type === 'file' ? { file: id } : 'its-name' };
}
