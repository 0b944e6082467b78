import { describe, expect, it } from '@jest/globals';
import { explainBuildFailure } from '../../../../src/adapters/engine/build-failure.js';
import { BuildFailure } from '../../../../src/execute/build-engine.js';
import { EngineError, RegistryError } from '../../../../src/shared/errors.js';

const DOCKERFILE = `# a comment
ARG VERSION=12
FROM debian:\${VERSION} AS builder
RUN apt-get update \\
    # why not
    && apt-get install --yes one-package another-package a-third-package
WORKDIR /src
COPY --chown=0:0 a b /src/
FROM registry.example.org/base/trixie:run-1
ENV A=1
RUN exit 7
COPY --from=builder /src/a /a
RUN <<EOF
COPY this is no instruction
EOF
RUN --mount=type=bind,from=other.example.org/tools:1,target=/t /t/run http://me:s3cret@mirror/x
`;

const explain = async (text: string, step?: string, dockerfile = DOCKERFILE): Promise<Error> => explainBuildFailure(text, step, dockerfile);
const newer = (rest: string): string => `failed to solve: process "/bin/sh -c x" did not complete successfully: ${rest}`;

describe('a step that failed', () => {
  it.each<[string, string, string | undefined, string, number | undefined]>([
    ['20.10 tells an exit code', 'executor failed running [/bin/sh -c exit 7]: exit code: 7', '[stage-1 2/5] RUN exit 7', 'RUN exit 7: exit 7', 11],
    ['26 tells an exit code', newer('exit code: 7'), '[stage-1 2/5] RUN exit 7', 'RUN exit 7: exit 7', 11],
    ['a long command is cut', newer('exit code: 100'), '[builder 2/4] RUN apt-get update', 'RUN apt-get update && apt-get install --yes one-package … exit 100', 4],
    ['a command of several lines', 'process "/bin/sh -c a\nb" did not complete successfully: exit code: 3', '[stage-1 4/5] RUN <<EOF (COPY this…)', 'RUN <<EOF COPY this is no instruction EOF: exit 3', 13],
    ['the platform stands before the stage', newer('exit code: 1'), '[linux/arm64 builder 2/4] RUN apt-get', 'RUN apt-get update && apt-get install --yes one-package … exit 1', 4],
    ['an instruction that the parent has ONBUILD has no line of ours', newer('exit code: 1'), '[stage-1 2/6] RUN make', 'RUN make: exit 1', undefined],
    ['a step without a name', newer('exit code: 1'), undefined, 'a RUN instruction: exit 1', undefined],
    ['a process that could not start', 'executor failed running [/x]: runc did not start', '[stage-1 2/5] RUN exit 7', 'RUN exit 7: runc did not start', 11],
    ['20.10 misses a file', 'failed to compute cache key: "/b" not found: not found', '[builder 4/4] COPY a b /src/', 'COPY a b /src/: /b is not there', 8],
    ['26 misses a file', 'failed to solve: failed to compute cache key: failed to calculate checksum of ref 3b0f::xyz: "/b": not found', '[builder 4/4] COPY a b /src/', 'COPY a b /src/: /b is not there', 8],
    ['20.10 reads no Dockerfile', 'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO', undefined, 'the Dockerfile cannot be read: unknown instruction: FOO', 2],
    ['26 reads no Dockerfile', 'failed to solve: dockerfile parse error on line 3: unknown instruction: FOO (did you mean FROM?)', undefined, 'the Dockerfile cannot be read: unknown instruction: FOO (did you mean FROM?)', 3],
    ['an image is not there', 'failed to solve: registry.example.org/base/trixie:run-1: not found', '[internal] load metadata for registry.example.org/base/trixie:run-1', 'FROM registry.example.org/base/trixie:run-1: registry.example.org/base/trixie:run-1: not found', 9],
    ['the registry of an image says that it is not there', 'pulling from host r.example.org failed with status code [manifests one]: 404 Not Found', undefined, 'pulling from host r.example.org failed with status code [manifests one]: 404 Not Found', undefined],
    ['something new', 'failed to solve: rpc error: code = Unknown desc = the moon is full', undefined, 'the moon is full', undefined],
  ])('%s', async (_, text, step, message, line) => {
    const error = await explain(text, step);
    expect(error).toBeInstanceOf(BuildFailure);
    expect({ message: error.message, line: (error as BuildFailure).line }).toEqual({ message, line });
  });

  it('is found in a Dockerfile of one stage, which BuildKit gives no name', async () => {
    const error = await explain('executor failed running [/bin/sh -c false]: exit code: 1', '[3/3] RUN false', 'FROM a AS b\nRUN true\n\nRUN false\n');
    expect((error as BuildFailure).line).toBe(4);
  });

  it.each<[string, string, string, string]>([
    ['20.10 misses a secret', 'secret npm not found: not found', '--mount=type=secret,id=npm,required=true', 'RUN make: secret "npm": there is no file ./token'],
    ['26 misses a secret', 'failed to solve: secret npm: not found', '--mount=type=secret,id=npm,required=true', 'RUN make: secret "npm": there is no file ./token'],
    ['a step went on without its secret', newer('exit code: 1'), '--mount=type=secret,id=npm --mount=type=secret,id=other', 'RUN make: exit 1 (secret "npm": there is no file ./token)'],
    ['a step went on without the secret of its target', newer('exit code: 1'), '--mount=target=/x/npm,type=secret', 'RUN make: exit 1 (secret "npm": there is no file ./token)'],
    ['a step had what it asked for', newer('exit code: 1'), '--mount=type=cache,id=npm,target=/x', 'RUN make: exit 1'],
    ['a step asks for an SSH key', 'no SSH key "" forwarded from the client', '--mount=type=ssh,required=true', 'RUN make: builds have no SSH agent here: fetch beforehand, or use a token in build_secrets'],
    ['a step went on without an SSH key', newer('exit code: 128'), '--mount=type=ssh', 'RUN make: exit 128 (builds have no SSH agent here: fetch beforehand, or use a token in build_secrets)'],
  ])('%s', async (_, text, mounts, message) => {
    const missing = new Map([['npm', 'there is no file ./token']]);
    expect(await explainBuildFailure(text, '[2/2] RUN make', `FROM a\nRUN ${mounts} make\n`, missing)).toMatchObject({ name: 'BuildFailure', line: 2, message });
  });

  it('is told from a parent that is there for another platform', async () => {
    const dockerfile = 'FROM r/base:run-1\nFROM --platform=linux/arm64 r/base:run-2\n';
    expect(await explain('r/base:run-2: not found', '[internal] load metadata for r/base:run-2', dockerfile)).toMatchObject({ line: 2, message: "FROM --platform=linux/arm64: parents are brought for the config's platform (unset: the engine's own) and for no other" });
    expect(await explain('r/base:run-1: not found', '[internal] load metadata for r/base:run-1', dockerfile)).toMatchObject({ line: 1, message: 'FROM r/base:run-1: r/base:run-1: not found' });
  });

  it('is found on top of scratch, whose FROM is not counted', async () => {
    const error = await explain('failed to compute cache key: "/a" not found: not found', '[1/2] COPY a /', 'FROM scratch\nCOPY a /\nCOPY b /\n');
    expect((error as BuildFailure).line).toBe(2);
  });

  it('is found where a mount names the image that is not there', async () => {
    const error = await explain('other.example.org/tools:1: not found', 'FROM other.example.org/tools:1');
    expect((error as BuildFailure).line).toBe(16);
  });

  it('has no password of a URL in its message', async () => {
    expect((await explain(newer('exit code: 1'), '[stage-1 5/5] RUN --mount=…')).message).toBe('RUN /t/run http://mirror/x: exit 1');
  });
});

describe('what is no fault of the Dockerfile', () => {
  it.each(['failed to solve: failed to copy files: write /a: no space left on device', 'executor failed running [/bin/sh -c true]: failed to write: no space left on device'])(
    'a full disk is the engine: %s',
    async (text) => {
      const error = await explain(text, '[stage-1 2/5] RUN exit 7');
      expect(error).toBeInstanceOf(EngineError);
      expect(error.message).toBe("no space left on the engine's disk");
    },
  );

  it('a command that names a full disk and fails is the Dockerfile', async () => {
    expect(await explain('executor failed running [/bin/sh -c grep "no space left on device" log]: exit code: 1', '[stage-1 2/5] RUN x')).toBeInstanceOf(BuildFailure);
  });

  it('a lost session is the engine', async () => {
    expect(await explain('failed to solve: no active session for abc: context deadline exceeded')).toBeInstanceOf(EngineError);
  });

  it.each<[string, string | undefined, string, number | undefined]>([
    ['failed to do request: Head "https://registry.example.org:5000/v2/x/manifests/1": dial tcp 10.0.0.1:5000: connect: connection refused', undefined, 'registry.example.org:5000', undefined],
    ['failed to solve: r.example.org/x:1: failed to resolve source metadata for r.example.org/x:1: unexpected status from HEAD request to https://r.example.org/v2/x/manifests/1: 503 Service Unavailable', undefined, 'r.example.org', 503],
    ['failed to load cache key: pulling from host r.example.org:5000 failed with status code [manifests one]: 401 Unauthorized', undefined, 'r.example.org:5000', 401],
    ['failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized', '[internal] load metadata for r.example.org/x:1', 'r.example.org', 401],
    ['failed to do request: Head "https://registry-1.docker.io/v2/library/debian/manifests/12": dial tcp: no such host', '[internal] load metadata for docker.io/library/debian:12', 'docker.io', undefined],
  ])('a registry that does not serve is the registry: %s', async (text, step, registry, status) => {
    const error = await explain(text, step);
    expect(error).toBeInstanceOf(RegistryError);
    expect({ registry: (error as RegistryError).registry, status: (error as RegistryError).status }).toEqual({ registry, status });
  });
});
