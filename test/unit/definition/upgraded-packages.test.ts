import { describe, expect, it } from '@jest/globals';
import { upgradedPackages } from '../../../src/definition/upgraded-packages.js';

const said = (dockerfile: string): string => {
  const { all, names } = upgradedPackages(dockerfile);
  return [...(all ? ['all'] : []), ...[...names].sort()].join(' ');
};

describe('upgradedPackages', () => {
  it.each<readonly [string, string, string]>([
    ['an upgrade brings all', 'FROM a\nRUN apt-get update && apt-get -y upgrade', 'all'],
    ['by any of its names', 'FROM a\nRUN apt full-upgrade -y; true', 'all'],
    ['a dist-upgrade, too, behind options with values', 'FROM a\nRUN apt-get -y -o Dpkg::Options::=--force-confold -t trixie-backports dist-upgrade', 'all'],
    ['an install brings what it names', 'FROM a\nRUN apt-get update && apt-get install -y --no-install-recommends php8.4 libssl3t64=3.5.1-1 curl/trixie-backports libc6:i386 && rm -rf /tmp/x', 'curl libc6 libssl3t64 php8.4'],
    ['on many lines with comments between', 'FROM a\nRUN apt-get install -y \\\n# why\n  git \\\n  curl', 'curl git'],
    ['in a text of its own', 'FROM a\nRUN <<EOF\napt-get update\napt-get install -y git\nEOF', 'git'],
    ['with an environment before it', 'FROM a\nRUN DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get install -y git', 'git'],
    ['a suite for one install is no package', 'FROM a\nRUN apt-get install -y -t stable git', 'git'],
    ['words that only a shell knows are none', 'FROM a\nRUN apt-get install -y $PACKAGES "$MORE" git', 'git'],
    ['an update alone brings nothing', 'FROM a\nRUN apt-get update', ''],
    ['a comment brings nothing', 'FROM a\n# RUN apt-get upgrade', ''],
    ['what another stage does is not brought', 'FROM a AS build\nRUN apt-get upgrade && apt-get install -y gcc\nFROM b\nCOPY --from=build /x /x', ''],
    ['what the stage below does is', 'FROM a AS one\nRUN apt-get upgrade\nFROM one AS two\nRUN apt-get install -y git\nFROM --platform=linux/amd64 TWO', 'all git'],
    ['a stage named as its image is no circle', 'FROM a AS a\nRUN apt-get upgrade', 'all'],
    ['nothing is brought without apt', 'FROM scratch\nCOPY upgrade /upgrade', ''],
  ])('%s', (_, dockerfile, expected) => expect(said(dockerfile)).toBe(expected));
});
