import { lastLines, readText, run, say, Stop } from './shell.mjs';

/** Installs what package-lock.json says, unless it is there. */
export async function installDependencies() {
  if (isInstalled(readText('package-lock.json'), readText('node_modules/.package-lock.json'))) return;
  say('installing the dependencies (npm ci)');
  let result = await npm('ci', '--ignore-scripts');
  if (result.code !== 0) result = await npm('ci', '--ignore-scripts');
  if (result.code !== 0) throw new Stop(`npm ci failed:\n${lastLines(npmFault(result.output))}`, 'npm ci --ignore-scripts');
}

/** Makes dist/ from src/. */
export async function buildProgram() {
  const result = await run(process.execPath, ['scripts/bundle.mjs']);
  if (result.code !== 0) throw new Stop(`the program cannot be built:\n${lastLines(result.output, 20)}`, 'npm run build');
}

/** npm writes down what it installed, last of all; packages for other platforms are not among it. */
function isInstalled(lock, installed) {
  if (installed === '') return false;
  const wanted = JSON.parse(lock).packages;
  const present = JSON.parse(installed).packages;
  const same = (path) => wanted[path] !== undefined && wanted[path].version === present[path].version && wanted[path].integrity === present[path].integrity;
  const needed = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional && !wanted[path].peer);
  return Object.keys(present).every(same) && needed.every((path) => present[path] !== undefined);
}

/** npm says first what is wrong, and then how it is used. */
function npmFault(output) {
  return output
    .split('\n')
    .filter((line) => /^npm (error|ERR!) \S/.test(line))
    .slice(0, 5)
    .join('\n');
}

/** The npm that runs us, or the one in PATH. */
function npm(...args) {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? run(process.execPath, [script, ...args]) : run('npm', args);
}
