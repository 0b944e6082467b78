import type { InspectedImage } from '../../execute/build-engine.js';
import { EngineRefusal, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';

type ImageDetails = {
  readonly Id: string;
  readonly RepoDigests: readonly string[] | null;
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null } | null;
  readonly Os: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Size: number;
};

/** What the engine tells of one image; undefined when it does not have it. */
export async function inspectImage(connection: EngineConnection, ref: string, signal: AbortSignal): Promise<InspectedImage | undefined> {
  try {
    const image = (await connection.ask({ method: 'GET', path: `/images/${ref}/json`, signal })) as ImageDetails;
    // linux/arm64 means v8 for everybody; other variants tell images apart.
    const variant = image.Variant === undefined || image.Variant === '' || image.Variant === 'v8' ? '' : `/${image.Variant}`;
    return {
      id: image.Id,
      repoDigests: realNames(image.RepoDigests),
      labels: image.Config?.Labels ?? {},
      platform: `${image.Os}/${image.Architecture}${variant}`,
      size: image.Size,
    };
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw refused(error, `inspect ${ref}`);
  }
}

/** Engines list an image without a name as `<none>:<none>`. */
export function realNames(names: readonly string[] | null): readonly string[] {
  return (names ?? []).filter((name) => !name.includes('<none>'));
}
