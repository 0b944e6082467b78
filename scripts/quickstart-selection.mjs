/**
 * What `npm run quickstart` builds: both bases, a stack, and production images of every sort. Globs of `--select`; an image that
 * these stand on and that is missing comes along.
 */
export const QUICKSTART_SELECTION = ['bookworm', 'trixie', 'python3-bookworm', 'python3-trixie', 'python3-build', 'python3-web', 'python3-tool', 'httpd', 'registry', 'toolbox', 'toolforge-trixie1-run', 'toolforge-trixie1-build'].map((name) => `*/${name}:*`);
