import { expression } from './expression.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import { placeOf, placePin, STATUS_PLACE, versionPin, type Place } from './pin.js';
import type { PackageRecord } from './package-record.js';
import type { Preference } from './preferences.js';

/** apt_preferences(5): how much apt wants a version. */
export type Policy = {
  /**
   * @param indexes those that have the version
   * @param isInstalled whether it is the one that is installed
   */
  priorityOf(record: PackageRecord, indexes: readonly PackageIndex[], isInstalled: boolean): number;
};

/** `Pin-Priority: never`: below all numbers. */
const NEVER = -Infinity;

/** The rules of an image, for the indexes of its sources. */
export function createPolicy(image: Pick<ImagePackages, 'preferences' | 'defaultRelease' | 'architecture'>, indexes: readonly PackageIndex[]): Policy {
  const general = [
    // apt asks the target release before all preferences.
    ...(image.defaultRelease === undefined ? [] : [{ isOf: placePin({ by: 'release', what: image.defaultRelease }), priority: 990 }]),
    ...image.preferences.filter(({ packages }) => packages.length === 0).map((preference) => ({ isOf: placePin(preference), priority: numberOf(preference) })),
  ];
  const priorityOfPlace = (place: Place, otherwise: number): number => {
    const found = general.filter(({ isOf }) => isOf(place)).map(({ priority }) => priority);
    return found.includes(NEVER) ? NEVER : (found[0] ?? otherwise);
  };
  const ofIndex = new Map(indexes.map((index) => [index, priorityOfPlace(placeOf(index), defaultPriority(index))]));
  const ofStatus = priorityOfPlace(STATUS_PLACE, 100);
  const places = new Map(indexes.map((index) => [index, placeOf(index)]));
  const specific = image.preferences.filter(({ packages }) => packages.length > 0).map((preference) => specificPin(preference, image.architecture));
  return {
    priorityOf(record, found, isInstalled) {
      const priorities = [...found.map((index) => ofIndex.get(index)!), ...(isInstalled ? [ofStatus] : [])];
      const highest = Math.max(...priorities);
      if (specific.length === 0 || highest === NEVER) return highest;
      const stands = [...found.map((index) => places.get(index)!), ...(isInstalled ? [STATUS_PLACE] : [])];
      return specific.find((pin) => pin.isOf(record, stands))?.priority ?? highest;
    },
  };
}

function numberOf({ priority }: Preference): number {
  return priority === 'never' ? NEVER : priority;
}

/** "APT's Default Priority Assignments". */
function defaultPriority({ release }: PackageIndex): number {
  if (!release.notAutomatic) return 500;
  return release.butAutomaticUpgrades ? 100 : 1;
}

/** "Matching packages in the Package field". */
function specificPin(preference: Preference, native: string): { readonly priority: number; isOf(record: PackageRecord, places: readonly Place[]): boolean } {
  const names = preference.packages.map((word) => packageWord(word, native));
  const isOfPlace = placePin(preference);
  const isOfVersion = versionPin(preference.what);
  return {
    priority: numberOf(preference),
    isOf: (record, places) => names.some((isOf) => isOf(record)) && (preference.by === 'version' ? isOfVersion(record.version) : places.some(isOfPlace)),
  };
}

/** `name`, `src:name`, `glo*`, `/regular expression/`, each perhaps with `:arch`; without, it is of the native packages. `:native` is of none. */
function packageWord(word: string, native: string): (record: PackageRecord) => boolean {
  const ofSource = word.startsWith('src:');
  const rest = ofSource ? word.slice('src:'.length) : word;
  const colon = rest.lastIndexOf(':');
  const architecture = colon < 0 ? native : rest.slice(colon + 1);
  const name = colon < 0 ? rest : rest.slice(0, colon);
  const isPattern = /^\/.*\/$/s.test(name) || /[*[?]/.test(name);
  const matches = isPattern ? expression(name) : (text: string): boolean => text === name;
  return (record) => {
    const of = record.architecture === 'all' ? native : record.architecture;
    return isArchitecture(architecture, of) && matches(ofSource ? record.source : record.name);
  };
}

/** `any`, `linux-any`, `any-amd64`, or a name; what no architecture is called is of none. */
function isArchitecture(wanted: string, architecture: string): boolean {
  if (wanted === 'any' || wanted === '*' || wanted === architecture) return true;
  return !architecture.includes('-') && (wanted === 'linux-any' || wanted === `any-${architecture}`);
}
