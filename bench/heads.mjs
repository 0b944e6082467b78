// The bare client that bench/noop compares with: HEADs of a list of paths over keep-alive connections, and nothing else.
// node heads.mjs HOST PORT CA_FILE PATHS_FILE PARALLEL
import { Agent, request } from 'node:https';
import { readFileSync } from 'node:fs';

const [host, port, caFile, pathsFile, parallel] = process.argv.slice(2);
const paths = JSON.parse(readFileSync(pathsFile, 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: Number(parallel), ca: readFileSync(caFile) });
const headers = { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json' };
let next = 0;
let found = 0;
await new Promise((done, fail) => {
  let running = 0;
  const start = () => {
    while (running < Number(parallel) && next < paths.length) {
      running++;
      request({ host, port, method: 'HEAD', path: paths[next++], headers, agent }, (response) => {
        if (response.statusCode === 200) found++;
        response.resume();
        response.on('end', () => {
          running--;
          if (running === 0 && next >= paths.length) done();
          else start();
        });
      })
        .on('error', fail)
        .end();
    }
  };
  start();
});
agent.destroy();
if (found !== paths.length) throw new Error(`${found} of ${paths.length} found`);
