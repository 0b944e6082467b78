// Makes dist/ from src/: an entry for each program and lazily loaded chunks, so that `--help` loads no heavy library.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const outdir = join(root, 'dist');
const programs = ['main', 'docker-pkg'];
rmSync(outdir, { recursive: true, force: true });

/** One hash over the source and what it is built with. */
const source = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
for (const file of files.sort()) source.update(readFileSync(file));

/**
 * yargs asks string-width for the width of its help's columns; its tables of Unicode cost 25 ms at each start, and our help is
 * ASCII. What draws on a terminal gets the real one: an image or an instruction may have a name of wide characters.
 */
const plainStringWidth = {
  name: 'plain-string-width',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^string-width$/ }, ({ importer }) => (/\/(src\/report|node_modules\/(log-update|cli-truncate))\//.test(importer) ? undefined : { path: 'string-width', namespace: 'plain' }));
    onLoad({ filter: /.*/, namespace: 'plain' }, () => ({ contents: 'export default (text) => [...String(text).replace(/\\u001b\\[[0-9;]*m/g, "")].length;', loader: 'js' }));
  },
};

/** docker-modem's own way over ssh, which costs 60 ms at its first use: we hand it a connection that `ssh` made. */
const withoutSsh2 = {
  name: 'without-ssh2',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^ssh2$/ }, () => ({ path: 'ssh2', namespace: 'unused' }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

/** For its debug log docker-modem writes out each request, with all that hangs on it, also when nobody reads that: 1 ms of CPU each. */
const quietModem = {
  name: 'quiet-modem',
  setup({ onLoad }) {
    onLoad({ filter: /\/docker-modem\/lib\/modem\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const contents = text.replace(/util\.inspect\(options, \{[^}]*\}\)/, "''");
      if (contents === text) throw new Error(`${path} is not what it was: look whether it still writes out each request`);
      return { contents, loader: 'js' };
    });
  },
};

await build({
  entryPoints: programs.map((name) => join(root, `src/${name}.ts`)),
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'none',
  define: { PROGRAM_VERSION: JSON.stringify(version), PROGRAM_BUILD: JSON.stringify(source.digest('hex').slice(0, 16)), __filename: 'bundledFile', __dirname: 'bundledFolder' },
  plugins: [plainStringWidth, withoutSsh2, quietModem],
  // Under names that no bundled module declares itself.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as bundledRequire } from 'node:module'; import { fileURLToPath as bundledPath } from 'node:url'; import { dirname as bundledDirname } from 'node:path'; globalThis.require ??= bundledRequire(import.meta.url); const bundledFile = bundledPath(import.meta.url), bundledFolder = bundledDirname(bundledFile);",
  },
  logLevel: 'warning',
});
// The template engine reads its WebAssembly from beside the code that loads it.
copyFileSync(createRequire(import.meta.url).resolve('minijinja-js/dist/node/minijinja_js_bg.wasm'), join(outdir, 'minijinja_js_bg.wasm'));
for (const name of programs) chmodSync(join(outdir, `${name}.js`), 0o755);
