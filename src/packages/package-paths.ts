/** Folders and files of an image that say what is installed and where from; without a slash in front. A folder stands for what is in it. */
export const PACKAGE_ROOTS: readonly string[] = ['etc/apt', 'etc/os-release', 'usr/lib/os-release', 'usr/share/keyrings', 'var/lib/dpkg/arch', 'var/lib/dpkg/status', 'var/lib/dpkg/status.d'];

/** How deep below a root apt looks: `/etc/apt`, `sources.list.d`, a file. */
export const ROOT_DEPTH = 2;

/** What a path has to do with some roots: it is in one, it leads to one, or neither. */
export function placeOf(path: string, roots: readonly string[]): 'inside' | 'above' | 'beside' {
  let above = false;
  for (const root of roots) {
    if (path === root) return 'inside';
    if (path.startsWith(`${root}/`) && path.slice(root.length + 1).split('/').length <= ROOT_DEPTH) return 'inside';
    above ||= root.startsWith(`${path}/`);
  }
  return above ? 'above' : 'beside';
}

/** Passwords for archives, and checksums of packages' files: nobody needs them, and the first are not to be kept. */
export function isLeftOut(path: string): boolean {
  return /(?:^|\/)auth\.conf(?:$|\.d(?:\/|$))/.test(path) || path.endsWith('.md5sums');
}

/** Whether a file is a dpkg status: `status` itself, or a part of it as images without dpkg have them. */
export function isStatus(path: string): boolean {
  return /(?:^|\/)dpkg\/status(?:$|\.d\/)/.test(path);
}
