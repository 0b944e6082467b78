import { loadBuildkitMessages } from './buildkit-messages.js';

/** Loads what building through an engine needs, which is much, and says nothing to any engine. What cannot be loaded shows when it is used. */
export async function loadLibraries(): Promise<void> {
  await Promise.allSettled([import('docker-modem'), import('node:http2'), loadBuildkitMessages()]);
}
