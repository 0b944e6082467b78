/** `directory/path` as a person would type it: no `./` in front, no doubled slash. */
export function joinPath(directory: string, path: string): string {
  if (path === '.' || path === '') return directory;
  if (directory === '.' || directory === '') return path;
  return directory.endsWith('/') ? directory + path : `${directory}/${path}`;
}

/** Whether a path (relative, cleaned) is a folder or lies in it; everything lies in '.'. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}
