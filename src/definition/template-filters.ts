import type { TemplateSettings } from './template-settings.js';
import { nearHint } from '../shared/near-names.js';

/** What a filter answers: its text, perhaps with a warning; or why there is none. */
export type FilterResult = { readonly text: string; readonly warning?: string } | { readonly error: string };

/** One of docker-pkg's filters, over its only argument, a string. */
export type TemplateFilter = (value: string, settings: TemplateSettings) => FilterResult;

const PROXY_FILE = '/etc/apt/apt.conf.d/80_proxy';
const CLEAN = '    && apt-get clean && rm -rf /var/lib/apt/lists/* ';

function proxyLines(settings: TemplateSettings): { readonly write: string; readonly remove: string } | undefined {
  if (!settings.aptProxy) return undefined;
  return {
    write: `echo 'Acquire::http::Proxy "${settings.aptProxy}";' > ${PROXY_FILE} `,
    remove: `    && rm -f ${PROXY_FILE} \\\n`,
  };
}

/** Every line break becomes one blank; nothing else is touched. */
function aptInstall(value: string, settings: TemplateSettings): FilterResult {
  const proxy = proxyLines(settings);
  const packages = value.replace(/\n/g, ' ');
  return {
    text:
      (proxy === undefined ? '' : `${proxy.write}\\\n    && `) +
      `apt-get update ${settings.aptOptions} \\\n    && DEBIAN_FRONTEND=noninteractive \\\n` +
      `    apt-get install ${settings.aptOptions} --yes ${packages} --no-install-recommends \\\n` +
      (proxy?.remove ?? '') +
      CLEAN,
  };
}

/** docker-pkg gives it no options, keeps line breaks, and forgets one behind the proxy: kept, so that published digests stay. */
function aptRemove(value: string, settings: TemplateSettings): FilterResult {
  const proxy = proxyLines(settings);
  return {
    text:
      (proxy === undefined ? '' : `${proxy.write} && \\`) +
      `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get remove --yes --purge ${value} \\\n` +
      (proxy?.remove ?? '') +
      CLEAN,
  };
}

const NO_MAPPINGS = 'the config has no known_uid_mappings';

function mappedUid(name: string, settings: TemplateSettings): number | undefined {
  const mappings = settings.knownUidMappings!;
  return Object.hasOwn(mappings, name) ? mappings[name] : undefined;
}

function uid(value: string, settings: TemplateSettings): FilterResult {
  if (settings.knownUidMappings === undefined) return { error: NO_MAPPINGS };
  const found = mappedUid(value, settings);
  if (found !== undefined) return { text: String(found) };
  return { text: value, warning: `known_uid_mappings has no "${value}"${nearHint(value, Object.keys(settings.knownUidMappings))}: the name stands as it is` };
}

function addUser(value: string, settings: TemplateSettings): FilterResult {
  if (settings.knownUidMappings === undefined) return { error: NO_MAPPINGS };
  const id = mappedUid(value, settings);
  if (id === undefined) return { error: `known_uid_mappings has no "${value}"${nearHint(value, Object.keys(settings.knownUidMappings))}` };
  return { text: `groupadd -o -g ${id} -r ${value} && useradd -l -o -r -m -d /var/lib/${value} -g ${value} -u ${id} ${value}` };
}

function imageTag(value: string, settings: TemplateSettings): FilterResult {
  const ref = settings.imageTag(value);
  if (ref !== undefined) return { text: ref };
  return { error: `no tree and no base_images entry has an image "${value}"${nearHint(value, settings.knownNames())}` };
}

/** Debian Policy 5.6.12: `[epoch:]upstream[-revision]`; only the tag's first two dashed parts are looked at. */
const DEBIAN_VERSION = /^([A-Za-z0-9.+:~-]+?)(?:-[A-Za-z0-9+.~]+)?$/;

function upstreamVersion(value: string): FilterResult {
  // The host may have a port: only what follows the last slash can hold the tag.
  const parts = value.slice(value.lastIndexOf('/') + 1).split(':');
  if (parts.length !== 2) return { error: `upstream_version takes name:tag, got "${value}"` };
  const tag = parts[1]!;
  if (!tag.includes('-')) return { text: tag };
  const version = DEBIAN_VERSION.exec(tag.split('-').slice(0, 2).join('-'));
  return version === null ? { error: `upstream_version: "${tag}" is no Debian version` } : { text: version[1]! };
}

/** docker-pkg's filters, with docker-pkg 4.0.4's texts to the byte. */
export const TEMPLATE_FILTERS: Readonly<Record<string, TemplateFilter>> = {
  apt_install: aptInstall,
  apt_remove: aptRemove,
  uid,
  add_user: addUser,
  image_tag: imageTag,
  upstream_version: upstreamVersion,
};
