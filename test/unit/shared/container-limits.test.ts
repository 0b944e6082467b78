import { describe, expect, it } from '@jest/globals';
import { parseDockerSize } from '../../../src/shared/docker-size.js';
import { parseConfig } from '../../../src/shared/parse-config.js';
import { formatProblem } from '../../../src/shared/problem.js';

const read = (limits: string) => parseConfig('config.yaml', `registry: localhost\ncontainer_limits: ${limits}\n`);

describe('parseDockerSize', () => {
  it.each([
    ['1000', 1000],
    ['64b', 64],
    ['2k', 2048],
    ['512m', 512 * 1024 ** 2],
    ['512 MB', 512 * 1024 ** 2],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['2T', 2 * 1024 ** 4],
    ['1p', 1024 ** 5],
    ...['', 'm', '-1', '1.m', '1e3', '0x10', '1 2', '5mm', '1kibi'].map((text): [string, undefined] => [text, undefined]),
  ])('%j is %p bytes', (text, bytes) => expect(parseDockerSize(text)).toBe(bytes));
});

describe('container_limits', () => {
  it.each([
    ['{}', undefined],
    ['{memory: 512m}', { memory: 536870912 }],
    ['{memory: 6291456, memswap: -1}', { memory: 6291456, memswap: -1 }],
    ['{memory: 1g, memswap: "1g"}', { memory: 1073741824, memswap: 1073741824 }],
    ['{memswap: "-1"}', { memswap: -1 }],
    ['{cpushares: 512, cpusetcpus: 0}', { cpushares: 512, cpusetcpus: '0' }],
    ['{cpusetcpus: "0-3,5"}', { cpusetcpus: '0-3,5' }],
  ])('%s', (text, limits) => {
    const config = read(text);
    expect(config.ok && config.value.containerLimits).toEqual(limits);
  });

  it.each([
    ['512m', ['container_limits must be a mapping ("key: value"), not text']],
    ['{memroy: 1g}', ['container_limits.memroy is no limit (near: memory)']],
    ['{cpu: 1}', ['container_limits.cpu is no limit (there are: memory, memswap, cpushares, cpusetcpus)']],
    ['{memory: much}', ['container_limits.memory is no size ("512m", "2g", or a number of bytes)']],
    ['{memory: -1}', ['container_limits.memory is no size ("512m", "2g", or a number of bytes)']],
    ['{memory: [1]}', ['container_limits.memory must be text or a number, not a list']],
    ['{memory: 5m}', ['container_limits.memory is less than engines take: 6m']],
    ['{memswap: 1g}', ['container_limits.memswap is memory and swap together, so memory must be there, too']],
    ['{memory: 2g, memswap: 1g}', ['container_limits.memswap is memory and swap together, and less than memory']],
    ['{cpushares: 1}', ['container_limits.cpushares must be a whole number from 2 to 262144']],
    ['{cpusetcpus: two}', ['container_limits.cpusetcpus is no list of processors ("0-3", "0,1")']],
    ['{cpusetcpus: [0, 1], memory: 1}', ['container_limits.memory is less than engines take: 6m', 'container_limits.cpusetcpus must be text or a number, not a list']],
  ])('%s is wrong, with its line', (text, problems) => {
    const config = read(text);
    expect(config.ok ? [] : config.problems.map(formatProblem)).toEqual(problems.map((problem) => `config.yaml:2: ${problem}`));
  });
});
