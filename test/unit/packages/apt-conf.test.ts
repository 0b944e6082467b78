import { describe, expect, it } from '@jest/globals';
import { listOf, parseAptConf, settingOf } from '../../../src/packages/apt-conf.js';

function parse(...texts: readonly string[]) {
  return parseAptConf(texts.map((text, at) => ({ path: `/etc/apt/apt.conf.d/${at}`, text })));
}

describe('apt.conf', () => {
  it.each([
    ['a::b "1";', '1'],
    ['A { B "1"; };', '1'],
    ['a { b { c "2"; }; b "1"; }', '1'],
    ['a::b 1;', '1'],
    ['a::b "0"; // a::b "2";\na::b "1"; # x\n', '1'],
    ['a::b "1"; /* a::b "2"; \n */', '1'],
    ['a::b "x{;}//y";', 'x{;}//y'],
    ['a::b "2"; #clear a;\na::b "1";', '1'],
    ['a::b "1"; #clear a::b;', undefined],
    ['a { b "1";', '1'],
    ['a { b "1" };', '1'],
    ['a::b "1"; }', '1'],
    ['a "x" { b "1"; };', '1'],
    ['a::b "1" { c "2"; };', '1'],
    ['a::b "";', undefined],
    ['a::bc "1";', undefined],
  ])('%s', (text, expected) => {
    expect(parse(text).fault).toBeUndefined();
    expect(settingOf(parse(text).settings, 'A::B')).toBe(expected);
  });
  it('a later file goes before', () => {
    expect(settingOf(parse('a "1";', 'a "2";').settings, 'a')).toBe('2');
  });
  it.each([
    ['a { "1"; "2"; };', ['1', '2']],
    ['a:: "1"; a:: "2";', ['1', '2']],
    ['a { "1"; }; a { "2"; };', ['1', '2']],
    ['a "1, 2";', ['1', '2']],
    ['a { "1"; }; #clear a;', []],
  ])('a list: %s', (text, expected) => {
    expect(listOf(parse(text).settings, 'A')).toEqual(expected);
  });
  it.each(['a "1"', 'a { b "1"; }; c', 'a "1\n2";'])('apt cannot read %j', (text) => {
    expect(parse('b "1";', text).fault).toBe('/etc/apt/apt.conf.d/1 is no apt.conf(5)');
  });
});
