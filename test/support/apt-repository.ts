import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startArchiveServer, type ArchiveServer } from './archive-server.js';
import { folderOf, signSuite, writeSuite, type SuiteIndex, type SuiteLooks } from './archive-suite.js';
import { buildPackage, type BuiltPackage, type TinyPackage } from './debian-package.js';
import { SHARED_SOCKET } from './engine-fixture.js';
import { makeSigningKey, type SigningKey } from './signing-key.js';

const run = promisify(execFile);

/** What may be said of a package of a suite: where in the suite it is. */
export type SuitePackage = TinyPackage & { readonly component?: string };

/** How a suite is made and signed. */
export type SuiteOptions = SuiteLooks & {
  /** Signed by a key that is not the repository's. */
  readonly otherKey?: boolean;
  /** A time; Date is the same then. */
  readonly validUntil?: string;
  /** A time; an hour ago unless given. */
  readonly date?: string;
  /** Stanzas of Packages for which there is no package: `main` of this machine's architecture. */
  readonly stanzas?: readonly string[];
};

/** A signed repository of tiny packages. */
export type AptRepository = {
  readonly uri: string;
  /** Its public key, binary and in base64, as `Repository.keyring` has it. */
  readonly keyring: string;
  readonly key: SigningKey;
  readonly server: ArchiveServer;
  /** The User-Agents that have asked for its suites. */
  readonly agents: ReadonlySet<string>;
  /** Makes a suite; a name that ends in `/` makes a flat one. */
  addSuite(suite: string, packages: readonly SuitePackage[], how?: SuiteOptions): Promise<void>;
  /** A later day of a suite: packages that it has get their new version, others are added; its date moves on by a minute. */
  release(suite: string, packages: readonly SuitePackage[], how?: Partial<SuiteOptions>): Promise<void>;
  /** Signs another text as a suite's Release, by the repository's key; `gpg`: options of the signature. */
  rewrite(suite: string, change: (release: string) => string, gpg?: readonly string[]): Promise<void>;
  /** Where a file of it is on this disk: `dists/trixie/InRelease`. */
  path(file: string): string;
  /** Writes another content over a file of it; its date stays. */
  tamper(file: string, change: (text: string) => string | Uint8Array): void;
  /** What a suite's folder is now; the function that is returned brings it back. */
  keep(suite: string): () => void;
  close(): Promise<void>;
};

/** Starts a repository without suites, on loopback, or where the containers of the engine under test reach it as well as this machine does. */
export async function startAptRepository({ for: reach }: { readonly for?: 'containers' } = {}): Promise<AptRepository> {
  const folder = mkdtempSync(join(tmpdir(), 'apt-repository-'));
  const root = join(folder, 'www/debian');
  const key = await makeSigningKey(join(folder, 'gpg'));
  const server = await startArchiveServer(join(folder, 'www'), reach === 'containers' ? await engineGateway() : '127.0.0.1');
  const machine = (await run('dpkg', ['--print-architecture'])).stdout.trim();
  const suites = new Map<string, { readonly packages: readonly (BuiltPackage & { readonly component: string })[]; readonly how: SuiteOptions; readonly date: number }>();
  let otherKey: Promise<SigningKey> | undefined;

  async function publish(suite: string, packages: readonly SuitePackage[], how: SuiteOptions, date: number): Promise<void> {
    const built = await Promise.all(
      packages.map(async (package_) => {
        const { component = 'main' } = package_;
        return { ...(await buildPackage(package_, join(folder, 'packages'), root, `pool/${suite.replaceAll('/', '-')}/${component}/${package_.name}`)), component };
      }),
    );
    const isReplaced = (old: TinyPackage): boolean => built.some(({ name, architecture }) => name === old.name && architecture === old.architecture);
    const all = [...(suites.get(suite)?.packages ?? []).filter((old) => !isReplaced(old)), ...built];
    suites.set(suite, { packages: all, how, date });
    const validUntil = how.validUntil === undefined ? undefined : Date.parse(how.validUntil);
    await writeSuite(root, suite, how, suite.endsWith('/') ? [flatIndexOf(all, how)] : indexesOf(all, how, machine), date, validUntil);
    await signSuite(root, suite, how.signed, how.otherKey === true ? await (otherKey ??= makeSigningKey(join(folder, 'other-gpg'))) : key, date);
  }

  return {
    uri: `${server.origin}/debian`,
    keyring: key.keyring.toString('base64'),
    key,
    server,
    get agents() {
      return new Set(server.asked.filter(({ path }) => path.includes('/dists/')).map(({ agent }) => agent));
    },
    addSuite: (suite, packages, how = {}) => publish(suite, packages, how, Date.parse(how.date ?? how.validUntil ?? new Date(Date.now() - 3_600_000).toUTCString())),
    release(suite, packages, how = {}) {
      const before = suites.get(suite)!;
      return publish(suite, packages, { ...before.how, ...how }, how.date === undefined ? before.date + 60_000 : Date.parse(how.date));
    },
    async rewrite(suite, change, gpg = []) {
      const folder = join(root, folderOf(suite));
      const signed = readFileSync(join(folder, 'InRelease'), 'utf8');
      const release = /\n\n([^]*?\n)-----BEGIN PGP SIGNATURE/.exec(signed)![1]!;
      writeFileSync(join(folder, 'Release'), change(release));
      await key.gpg(...gpg, '--clearsign', '--output', join(folder, 'InRelease'), join(folder, 'Release'));
      rmSync(join(folder, 'Release'));
    },
    path: (file) => join(root, file),
    tamper(file, change) {
      const path = join(root, file);
      writeFileSync(path, change(readFileSync(path, 'latin1')), 'latin1');
    },
    keep(suite) {
      const kept = mkdtempSync(join(folder, 'kept-'));
      const place = join(root, folderOf(suite));
      cpSync(place, kept, { recursive: true, preserveTimestamps: true });
      return () => {
        rmSync(place, { recursive: true });
        cpSync(kept, place, { recursive: true, preserveTimestamps: true });
      };
    },
    async close() {
      await Promise.all([key.stop(), otherKey?.then((other) => other.stop()), server.down()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function flatIndexOf(packages: readonly BuiltPackage[], { stanzas = [] }: SuiteOptions): SuiteIndex {
  return { component: '', architecture: '', stanzas: [...packages.map(({ stanza }) => stanza), ...stanzas] };
}

/** Packages of `all` are in the index of each architecture, as Debian has them, or in one of their own. */
function indexesOf(packages: readonly (BuiltPackage & { readonly component: string })[], { allApart = false, stanzas = [] }: SuiteOptions, machine: string): readonly SuiteIndex[] {
  const architectures = [...new Set([machine, ...packages.flatMap(({ architecture = 'all' }) => (architecture === 'all' ? [] : [architecture]))]), ...(allApart ? ['all'] : [])];
  const components = [...new Set(['main', ...packages.map(({ component }) => component)])];
  const isIn = (architecture: string, one: string): boolean => one === architecture || (one === 'all' && !allApart);
  return components.flatMap((component) =>
    architectures.map((architecture) => ({
      component,
      architecture,
      stanzas: [
        ...packages.filter((one) => one.component === component && isIn(architecture, one.architecture ?? 'all')).map(({ stanza }) => stanza),
        ...(component === 'main' && architecture === machine ? stanzas : []),
      ],
    })),
  );
}

/** The address of this machine on the bridge of the engine under test. */
async function engineGateway(): Promise<string> {
  const { stdout } = await run('docker', ['--host', `unix://${SHARED_SOCKET}`, 'network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  return stdout.trim();
}
