import { EXIT, RegistryError, type Fault, type RegistryTrouble } from './errors.js';

/** The part of docs/operating.md that is about each trouble with a registry. */
const REGISTRY: Readonly<Record<RegistryTrouble, string>> = {
  unreachable: 'registry-unreachable',
  certificate: 'registry-certificate',
  'no-tls': 'registry-without-tls',
  login: 'registry-login',
  refuses: 'registry-refuses',
  quota: 'registry-quota',
  'immutable-tag': 'immutable-tags',
};

/** Every part of docs/operating.md that a message can point to; a test looks for each. */
export const DOCUMENTED: readonly string[] = [...Object.values(REGISTRY), 'engine-unreachable', 'archive-unreachable', 'credentials'];

/** Where the documentation says more of a fault of the outside: `operating.md#registry-unreachable`; undefined for other faults. */
export function docsOf(fault: Fault): string | undefined {
  const part = partOf(fault);
  return part === undefined ? undefined : `operating.md#${part}`;
}

function partOf(fault: Fault): string | undefined {
  if (fault instanceof RegistryError) return REGISTRY[fault.trouble];
  switch (fault.exit) {
    case EXIT.engine:
      return 'engine-unreachable';
    case EXIT.archive:
      return 'archive-unreachable';
    // Where logins are looked for, and the programs that keep them.
    case EXIT.registry:
      return 'credentials';
    default:
      return undefined;
  }
}
