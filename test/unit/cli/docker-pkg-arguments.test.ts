import { describe, expect, it } from '@jest/globals';
import { parseDockerPkgArguments } from '../../../src/cli/docker-pkg-arguments.js';

const parse = (line: string) => parseDockerPkgArguments(line.split(' ').filter((word) => word !== ''));

describe("docker-pkg's command line", () => {
  it.each<[string, string]>([
    ['build images', '--config=config.yaml images'],
    ['-c other.yaml build images', '--config=other.yaml images'],
    ['-cother.yaml build images', '--config=other.yaml images'],
    ['--configfile other.yaml build images', '--config=other.yaml images'],
    ['--conf=other.yaml build images', '--config=other.yaml images'],
    ['build images --select *myimage*', '--config=config.yaml --select=*myimage* images'],
    ['build --select=*a* images', '--config=config.yaml --select=*a* images'],
    ['build --sel a images', '--config=config.yaml --select=a images'],
    // As in Python's parser, the last one counts.
    ['build --select a --select b images', '--config=config.yaml --select=b images'],
    ['build --select= images', '--config=config.yaml --select= images'],
    ['build --use-cache --no-pull images', '--config=config.yaml --use-cache --no-pull images'],
    ['build --nightly images', '--config=config.yaml --nightly images'],
    ['build --snap images', '--config=config.yaml --snapshot images'],
    ['build -- -odd', '--config=config.yaml ./-odd'],
  ])('%s is build %s', (line, ours) => {
    expect(parse(line)).toMatchObject({ verb: 'build', argv: ['build', ...ours.split(' ')] });
  });
  it.each<[string, string]>([
    ['prune images', 'prune --config=config.yaml images'],
    ['-c x.yaml prune --select *a* --nightly 20261120 images', 'prune --config=x.yaml --select=*a* --nightly=20261120 images'],
    ['prune --nightly= images', 'prune --config=config.yaml images'],
    ['update web images', 'update --config=config.yaml --dir=images web'],
    ['update web -v 2.0 --reason why images', 'update --config=config.yaml --reason=why --version=2.0 --dir=images web'],
    ['update --version=2.0 web images', 'update --config=config.yaml --version=2.0 --dir=images web'],
  ])('%s is %s', (line, ours) => {
    const argv = ours.split(' ');
    expect(parse(line)).toMatchObject({ verb: argv[0], argv });
  });
  it.each([
    ['build images', undefined],
    ['--info build images', 'info'],
    ['--debug build images', 'debug'],
    ['--de build images', 'debug'],
  ])('%s: the log on the terminal is %s', (line, log) => {
    expect(parse(line)).toMatchObject({ log });
  });
  it.each([
    ['', 'docker-pkg: error: the following arguments are required: {build,prune,update}'],
    ['b images', "docker-pkg: error: argument {build,prune,update}: invalid choice: 'b'"],
    ['--version', 'docker-pkg: error: the following arguments are required'],
    ['-c', 'docker-pkg: error: argument -c/--configfile: expected one argument'],
    ['--debug --info build images', 'docker-pkg: error: argument --info: not allowed with argument --debug'],
    ['build', 'docker-pkg build: error: the following arguments are required: DIRECTORY'],
    ['build a b', 'docker-pkg: error: unrecognized arguments: b'],
    ['build --select', 'docker-pkg build: error: argument --select: expected one argument'],
    ['build --n images', 'docker-pkg build: error: ambiguous option: --n could match --nightly, --no-pull'],
    ['build --nightly --snapshot images', 'docker-pkg build: error: argument --snapshot: not allowed with argument --nightly'],
    ['build images -c config.yaml', 'docker-pkg: error: unrecognized arguments: -c config.yaml'],
    ['build --use-cache=1 images', "docker-pkg build: error: argument --use-cache: ignored explicit argument '1'"],
  ])('%s is refused, with the usage', (line, message) => {
    const asked = parse(line);
    if (!('print' in asked)) throw new Error('it is taken');
    expect(asked.exit).toBe(2);
    expect(asked.print).toMatch(/^usage: docker-pkg( build)? \[-h\] /);
    expect(asked.print.split('\n').at(-1)).toContain(message);
  });
  it.each([
    ['-h', /--configfile/],
    ['build --help', /--no-pull/],
  ])('%s prints what there is', (line, option) => {
    expect(parse(line)).toEqual({ print: expect.stringMatching(option), exit: 0 });
  });
});
