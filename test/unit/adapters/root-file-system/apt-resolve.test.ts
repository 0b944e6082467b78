import { describe, expect, it } from '@jest/globals';
import { idlePreference, plannedPackages } from '../../../../src/adapters/root-file-system/apt-resolve.js';

const LINES = [
  'build-images: archive:     release a=now',
  'build-images: archive:     release v=13.1,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64',
  'build-images: archive:     origin deb.debian.org',
  'build-images: archive:     release o=Test, Inc.,a=good,n=good,l=Test,c=extra,b=amd64',
  'build-images: archive:     origin 127.0.0.1',
  'Inst zlib1g (1:1.3 Debian:13.7/stable [amd64]) []',
  'Inst libc6:i386 (2.41 Debian:13.7/stable, Debian-Security:13/stable-security [i386])',
  'Conf zlib1g (1:1.3 Debian:13.7/stable [amd64])',
];

describe('plannedPackages', () => {
  it("reads apt's simulation, sorted", () => {
    expect(plannedPackages(LINES)).toEqual([
      { name: 'libc6', version: '2.41', architecture: 'i386' },
      { name: 'zlib1g', version: '1:1.3', architecture: 'amd64' },
    ]);
  });
});

describe('idlePreference', () => {
  it.each([
    'release n=trixie',
    'release a=stable, n=trixie',
    'release o=Debian,c=main,b=amd64,v=13.1',
    'release o=Test*,l=T?st',
    'release n=/^tri/',
    'release n=tri[x]ie',
    'release stable',
    'release trixie',
    'release 13*',
    'release *',
    'origin deb.debian.org',
    'origin "127.0.0.1"',
    'version 5.2*',
  ])('"%s" is for an archive that is there, or not looked at', (pin) => {
    expect(idlePreference([{ package: '*', pin, priority: 1 }], LINES)).toBeUndefined();
  });
  it.each([
    ['release n=trixie-backports', 'release v=13.1,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64; release o=Test, Inc.,a=good,n=good,l=Test,c=extra,b=amd64'],
    ['release n=trixie,o=Test', 'release v=13.1,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64; release o=Test, Inc.,a=good,n=good,l=Test,c=extra,b=amd64'],
    ['release n=trixi.', 'release v=13.1,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64; release o=Test, Inc.,a=good,n=good,l=Test,c=extra,b=amd64'],
    ['release n=Debian', 'release v=13.1,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64; release o=Test, Inc.,a=good,n=good,l=Test,c=extra,b=amd64'],
    ['origin debian.org', 'origin deb.debian.org; origin 127.0.0.1'],
    ['origin good', 'origin deb.debian.org; origin 127.0.0.1'],
  ])('"%s" is for none, and it is said which there are', (pin, there) => {
    const preferences = [
      { package: 'a', pin: 'release n=trixie', priority: 1 },
      { package: 'b c', pin, priority: 1 },
    ];
    expect(idlePreference(preferences, LINES)).toBe(`no archive is "${pin}", which a preference for b c asks for (there are: ${there})`);
  });
});
