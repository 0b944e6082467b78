/**
 * What `npm run quickstart` builds: both bases, and of the production images one of every sort. Globs of `--select`; an image that
 * these stand on and that is missing comes along.
 */
export const QUICKSTART_SELECTION = ['bookworm', 'trixie', 'python3-bookworm', 'python3-trixie', 'python3-build', 'python3-web', 'python3-tool', 'php8.2-cli', 'nodejs20', 'httpd', 'registry', 'toolbox'].map((name) => `*/${name}:*`);
