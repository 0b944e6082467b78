import type { ImageLayers } from '../../state/image-layers.js';
import type { RegistryLayers } from '../registry/registry-layers.js';
import { readLayer } from './layer-reading.js';

/** Images' layers in a registry. */
export function createLayerSource(registry: RegistryLayers): ImageLayers {
  return {
    layersOf: (ref, digest, signal) => registry.layersOf(ref, digest, signal),
    readLayer: (ref, layer, begin, signal) => registry.readBlob(ref, layer, (bytes) => readLayer(bytes, begin()), signal),
  };
}
