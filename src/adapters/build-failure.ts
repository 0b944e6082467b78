import { BuildFailure } from '../execute/build-engine.js';
/** x */
export function explainBuildFailure(text: string, step: string | undefined, _dockerfile: string): Error {
  return new BuildFailure(text, undefined);
}
