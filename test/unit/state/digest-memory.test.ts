import { describe, expect, it } from '@jest/globals';
import { createDigestMemory } from '../../../src/state/digest-memory.js';
import { manifest, provenance, today } from '../../support/plan-tree.js';

const ours = provenance({ definition: today('web') });

describe('the memory of what registries said', () => {
  it('knows nothing at first, and has nothing to keep', () => {
    const memory = createDigestMemory(undefined);
    expect([memory.tag('r/web:1'), memory.provenance('web', manifest('a')), memory.changed, memory.data()]).toEqual([undefined, undefined, false, { tags: {}, provenance: {} }]);
  });
  it('remembers over its data, "of unknown origin" too', () => {
    const memory = createDigestMemory(undefined);
    memory.rememberTag('r/web:1', manifest('a'));
    memory.rememberProvenance('web', manifest('a'), ours);
    memory.rememberProvenance('web', manifest('b'), null);
    expect(memory.changed).toBe(true);
    const again = createDigestMemory(JSON.parse(JSON.stringify(memory.data())));
    expect([again.tag('r/web:1'), again.provenance('web', manifest('a'))?.definition, again.provenance('web', manifest('b')), again.provenance('web', manifest('c')), again.changed]).toEqual([manifest('a'), today('web'), null, undefined, false]);
  });
  it('does not take what one image is for what another of the same digest is', () => {
    const memory = createDigestMemory(undefined);
    memory.rememberProvenance('web', manifest('a'), ours);
    expect(memory.provenance('api', manifest('a'))).toBeUndefined();
  });
  it('has nothing new to keep when it hears what it knew', () => {
    const memory = createDigestMemory({ tags: { 'r/web:1': manifest('a') }, provenance: {} });
    memory.rememberTag('r/web:1', manifest('a'));
    expect(memory.changed).toBe(false);
    memory.rememberTag('r/web:1', manifest('b'));
    expect([memory.changed, memory.tag('r/web:1')]).toEqual([true, manifest('b')]);
  });
  it('forgets what was not asked for, above its limit', () => {
    const memory = createDigestMemory({ tags: { a: manifest('a'), b: manifest('b'), c: manifest('c') }, provenance: { [`web@${manifest('a')}`]: ours, [`web@${manifest('b')}`]: null, [`web@${manifest('c')}`]: null } }, 2);
    memory.tag('a');
    memory.rememberTag('d', manifest('d'));
    memory.provenance('web', manifest('a'));
    memory.rememberProvenance('web', manifest('d'), null);
    expect(Object.keys(memory.data().tags)).toEqual(['a', 'd']);
    expect(Object.keys(memory.data().provenance)).toEqual([`web@${manifest('a')}`, `web@${manifest('d')}`]);
  });
  it('keeps everything up to its limit', () => {
    expect(Object.keys(createDigestMemory({ tags: { a: manifest('a'), b: manifest('b') }, provenance: {} }, 2).data().tags)).toEqual(['a', 'b']);
  });
});
