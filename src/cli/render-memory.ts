import { join, resolve } from 'node:path';
import { readJson, writeJson } from '../adapters/json-file.js';
import type { RememberedImage, RenderMemory } from '../graph/render-image.js';
import type { TreeConfig } from '../shared/config.js';
import { digestOf } from '../shared/digest.js';
import { cacheDirectory, type Environment } from './environment.js';
import { programBuild } from './program-version.js';

type Stored = { readonly settings: string; readonly images: Readonly<Record<string, RememberedImage>> };

/** Opens what is remembered of one tree's rendered images; with another program or other settings it begins anew. */
export async function openRenderMemory({ directory, config }: TreeConfig, environment: Environment): Promise<RenderMemory & { save(): void }> {
  const place = digestOf(`${resolve(environment.cwd, directory)}\n${resolve(environment.cwd, config.path)}`).slice('sha256:'.length, 'sha256:'.length + 16);
  const path = join(cacheDirectory(environment), 'rendered', `${place}.json`);
  const settings = digestOf(JSON.stringify([programBuild, config.registry, config.namespace, config.baseImages, config.variables, config.aptOptions, config.aptProxy, config.knownUidMappings]));
  const stored = readJson(path, isStored);
  const former: Stored['images'] = stored?.settings === settings ? stored.images : {};
  const used = new Map<string, RememberedImage>();
  let changed = false;
  return {
    get(key) {
      const found = Object.hasOwn(former, key) ? former[key] : undefined;
      if (found !== undefined) used.set(key, found);
      return found;
    },
    set(key, remembered) {
      used.set(key, remembered);
      changed = true;
    },
    save() {
      // What was not asked for is of templates that are no more.
      if (changed) writeJson(path, { settings, images: Object.fromEntries(used) } satisfies Stored);
    },
  };
}

function isStored(value: unknown): value is Stored {
  const { settings, images } = (value ?? {}) as Partial<Record<keyof Stored, unknown>>;
  return typeof settings === 'string' && typeof images === 'object' && images !== null;
}
