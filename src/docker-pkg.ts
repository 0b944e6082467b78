import { runDockerPkg } from './cli/docker-pkg.js';
import { runProcess } from './run-process.js';

await runProcess(runDockerPkg);
