import { runCommandLine } from './cli/run-command-line.js';
import { runProcess } from './run-process.js';

await runProcess(runCommandLine);
