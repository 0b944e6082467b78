import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PackageFiles } from '../../src/packages/package-files.js';
import { SHARED_SOCKET, uniqueName } from './engine-fixture.js';

const run = promisify(execFile);
const docker = async (...args: readonly string[]): Promise<string> => (await run('docker', ['--host', `unix://${SHARED_SOCKET}`, ...args], { maxBuffer: 1 << 26 })).stdout;

/** Debian's releases, as their archives are now, and images of them from before. */
export type RealImages = {
  /** Has apt of this machine fetch what some sources have, whoever signed it: `deb URI SUITE COMPONENT`. */
  fetchLists(sources: readonly string[], architectures?: readonly string[]): Promise<void>;
  /** What apt says in an image that was made so: `prepare` runs in it, then `files` are written. */
  inside(image: RealImage): Promise<InsideAnswer>;
  /** Lists as apt keeps them. */
  readonly lists: string;
  close(): Promise<void>;
};

/** How an image is made of a release's. */
export type RealImage = { readonly base: string; readonly prepare?: string; readonly files: Readonly<Record<string, string | Uint8Array>> };

/** What apt says in an image, and the files that say all of its packages. */
export type InsideAnswer = {
  /** `name arch from to suites`, the lines of `apt list --upgradable`. */
  readonly upgradable: readonly string[];
  /** `name arch` of what `apt-get -s dist-upgrade` installs or removes. */
  readonly installs: readonly string[];
  readonly removes: readonly string[];
  readonly files: PackageFiles;
};

/** Makes an image of each release by its `main` alone; `packages` are in all of them, what lies in `shared` is at /shared while apt is asked. */
export async function makeRealImages(releases: readonly string[], packages: readonly string[], shared: string): Promise<RealImages> {
  const folder = mkdtempSync(join(tmpdir(), 'real-images-'));
  const name = uniqueName('apt');
  const lists = join(folder, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const native = (await run('dpkg', ['--print-architecture'])).stdout.trim();
  await Promise.all(
    releases.map(async (release) => {
      const tar = join(folder, `${release}.tar`);
      await run('mmdebstrap', ['--quiet', '--mode=root', '--variant=minbase', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', `--include=${packages.join(',')}`, release, tar, `deb http://deb.debian.org/debian ${release} main`]);
      await docker('import', tar, `${name}:${release}`);
      rmSync(tar);
    }),
  );
  let images = 0;
  return {
    lists,
    async fetchLists(sources, architectures = [native]) {
      const config = join(folder, 'fetch');
      mkdirSync(join(config, 'parts'), { recursive: true });
      writeFileSync(join(config, 'sources.list'), sources.map((source) => source.replace('deb ', 'deb [trusted=yes] ') + '\n').join(''));
      const options = { 'Dir::Etc::sourcelist': join(config, 'sources.list'), 'Dir::Etc::sourceparts': join(config, 'parts'), 'Dir::State::lists': lists, 'Dir::Cache::pkgcache': '', 'Dir::Cache::srcpkgcache': '', 'APT::Architectures': architectures.join(), 'APT::Get::List-Cleanup': 'false', 'Acquire::Languages': 'none', 'APT::Update::Error-Mode': 'any', 'APT::Sandbox::User': 'root', 'APT::Update::Post-Invoke': '', 'APT::Update::Post-Invoke-Success': '' };
      await run('apt-get', ['update', '--quiet', ...Object.entries(options).flatMap(([option, value]) => ['-o', `${option}=${value}`])]);
    },
    async inside({ base, prepare = ':', files }) {
      const place = join(folder, `${++images}`);
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(place, 'files', dirname(path)), { recursive: true });
        writeFileSync(join(place, 'files', path), content);
      }
      mkdirSync(join(place, 'out'), { recursive: true });
      const script = `export LC_ALL=C; rm -rf /etc/apt/sources.list*; mkdir -p /etc/apt/sources.list.d
        { ${prepare}; } >/out/prepare 2>&1
        cp -r /files/. /
        apt list --upgradable >/out/list 2>/out/list.err
        apt-get -s dist-upgrade >/out/dist 2>&1
        cp -rL --parents /etc/apt /etc/os-release /usr/share/keyrings /var/lib/dpkg/status $(ls -d /var/lib/dpkg/arch) /out/ 2>/dev/null || true`;
      await docker('run', '--rm', '--network', 'none', '-v', `${place}/files:/files:ro`, '-v', `${place}/out:/out`, '-v', `${lists}:/var/lib/apt/lists:ro`, '-v', `${shared}:/shared:ro`, `${name}:${base}`, 'sh', '-euc', script).catch((error: unknown) => {
        const said = ['prepare', 'list.err', 'dist'].map((file) => readFileSync(join(place, 'out', file), { encoding: 'utf8', flag: 'a+' }));
        throw new Error(`${String(error)}\n${said.join('\n')}`);
      });
      const text = (file: string): string => readFileSync(join(place, 'out', file), 'utf8');
      const changes = (word: string): readonly string[] => [...text('dist').matchAll(new RegExp(`^${word} ([^\\s:]+)(?::(\\S+))? .*$`, 'gm'))].map(([line, package_, architecture]) => `${package_} ${architecture ?? /\[(all|[a-z0-9]+)\]\)/.exec(line)?.[1] ?? native}`);
      return {
        upgradable: [...text('list').matchAll(/^([^/\n]+)\/(\S*) (\S+) (\S+) \[upgradable from: (\S+)\]$/gm)].map(([, package_, suites, to, architecture, from]) => `${package_} ${architecture} ${from} ${to} ${suites}`),
        installs: changes('Inst'),
        removes: changes('Remv'),
        files: new Map(walk(join(place, 'out')).filter(([path]) => !/^\/(?:prepare|list|list\.err|dist)$/.test(path))),
      };
    },
    async close() {
      for (const release of releases) await docker('image', 'rm', `${name}:${release}`).catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function walk(root: string, below = ''): readonly (readonly [string, Uint8Array])[] {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = `${below}/${name}`;
    return statSync(join(root, path)).isDirectory() ? walk(root, path) : [[path, readFileSync(join(root, path))] as const];
  });
}
