import { arch } from 'node:process';

/** Go's names, as images use them, of Node's architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** What an image must be for to run here: `linux/amd64`. */
export const HOST_PLATFORM = `linux/${ARCHITECTURES[arch] ?? arch}`;
