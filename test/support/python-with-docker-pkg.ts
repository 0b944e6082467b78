import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Python of a virtual environment with docker-pkg 4.0.4, kept between runs; undefined where pip cannot get it. `docker-pkg` itself is beside it. */
export function pythonWithDockerPkg(): string | undefined {
  const folder = join(tmpdir(), 'build-images-test-docker-pkg-4.0.4');
  const python = join(folder, 'bin/python');
  const works = (): boolean => {
    try {
      execFileSync(python, ['-c', 'import docker_pkg.dockerfile'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (existsSync(python) && works()) return python;
  for (const python3 of ['/usr/bin/python3', 'python3']) {
    try {
      execFileSync(python3, ['-m', 'venv', '--clear', folder], { stdio: 'ignore' });
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'docker-pkg==4.0.4'], { stdio: 'ignore', timeout: 240_000 });
      if (works()) return python;
    } catch {
      // Another Python may have venv and pip.
    }
  }
  return undefined;
}
