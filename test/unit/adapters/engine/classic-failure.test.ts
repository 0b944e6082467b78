import { describe, expect, it } from '@jest/globals';
import { explainClassicFailure } from '../../../../src/adapters/engine/classic-failure.js';
import { EngineError, RegistryError } from '../../../../src/shared/errors.js';

const DOCKERFILE = 'ARG A=1\nFROM registry.example.org/base:1 AS one\n# a comment\nRUN --network=none make \\\n  all\nFROM one\nCOPY a b /c/\n';

const explained = (text: string, step?: number, memory?: number): Promise<Error> => explainClassicFailure(text, step, DOCKERFILE, memory === undefined ? undefined : { memory });
const returned = (code: number): string => `The command '/bin/sh -c make   all' returned a non-zero code: ${code}`;

describe('explainClassicFailure', () => {
  it.each<[string, string, number | undefined, string, number | undefined]>([
    ['an instruction that fails', returned(2), 3, 'RUN make all: exit 2', 4],
    ['a kill without a limit', returned(137), 3, 'RUN make all: exit 137', 4],
    ['a file that is not there', 'COPY failed: file not found in build context or excluded by .dockerignore: stat b: file does not exist', 5, 'COPY a b /c/: /b is not there', 7],
    ['a file that is not in another stage', 'COPY failed: stat /var/x: file does not exist', 5, 'COPY a b /c/: /var/x is not there', 7],
    ['another fault of COPY', 'COPY failed: no source files were specified', 5, 'COPY a b /c/: no source files were specified', 7],
    ['what only BuildKit can do', 'the --link option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how', 5, 'COPY a b /c/: --link needs BuildKit', 7],
    ['a parent that its registry does not have', 'manifest for registry.example.org/base:1 not found: manifest unknown: manifest unknown', 2, 'FROM registry.example.org/base:1 AS one: manifest for registry.example.org/base:1 not found: manifest unknown: manifest unknown', 2],
    ['a repository that its registry does not have', "pull access denied for base, repository does not exist or may require 'docker login': denied: x", 2, "FROM registry.example.org/base:1 AS one: pull access denied for base, repository does not exist or may require 'docker login': denied: x", 2],
    ['a Dockerfile that cannot be read', 'dockerfile parse error line 3: unknown instruction: FOO', undefined, 'the Dockerfile cannot be read: unknown instruction: FOO', 3],
    ['a step that is none of the Dockerfile', 'odd', 9, 'odd', undefined],
  ])('%s', async (_, text, step, message, line) => expect(await explained(text, step)).toMatchObject({ name: 'BuildFailure', message, line }));

  it('a kill under a memory limit may be that limit', async () => {
    expect((await explained(returned(137), 3, 100 * 1024 ** 2)).message).toBe('RUN make all: killed (137): out of memory? container_limits allows 100 MB');
    expect((await explained(returned(1), 3, 100 * 1024 ** 2)).message).toBe('RUN make all: exit 1');
  });

  it('a registry that refuses or is away is no fault of the Dockerfile', async () => {
    expect(await explained('Head "https://registry.example.org/v2/base/manifests/1": no basic auth credentials', 2)).toMatchObject({ name: 'RegistryError', registry: 'registry.example.org', status: 401 });
    expect(await explained('Get "https://registry.example.org/v2/": dial tcp: connection refused', 2)).toBeInstanceOf(RegistryError);
    const containerd = 'failed to resolve reference "registry.example.org/base:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials';
    expect(await explained(containerd, 2)).toMatchObject({ name: 'RegistryError', status: 401 });
  });

  it('a full disk is the engine, whatever else it says', async () => {
    expect(await explained('failed to copy files: write /var/lib/docker/x: no space left on device', 5)).toBeInstanceOf(EngineError);
  });
});
