import { EngineError } from '../../shared/errors.js';
import { engineName, type SshAddress } from './engine-address.js';

/** What ssh, or the shell over there, says; and what of it is told. First match. */
const MEANINGS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'its host key is another one than the known one'],
  [/Host key verification failed/, 'its host key is not known'],
  [/docker: (?:command )?not found|docker: No such file/, 'there is no docker program over there'],
];

/**
 * Why an ssh to an engine ended.
 * @param end its exit code (255: ssh's own trouble, 127: no such program over there), or the errno with which it did not even start
 * @param words what it printed to standard error
 */
export function sshFault(address: SshAddress, end: number | string | null, words: string): EngineError {
  const name = `the Docker engine at ${engineName(address)}`;
  if (end === 'ENOENT') return new EngineError(`${name} cannot be reached (there is no ssh program on this machine)`, ['apt-get install openssh-client']);
  const target = `${address.port === undefined ? '' : `-p ${address.port} `}${address.user === undefined ? '' : `${address.user}@`}${address.host}`;
  const lines = words.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
  const why = MEANINGS.find(([pattern]) => pattern.test(words))?.[1] ?? lines.at(-1) ?? (typeof end === 'string' ? end : `ssh ended with ${end ?? 'a signal'}`);
  const denied = /Permission denied \(|permission denied while/.test(words);
  return new EngineError(`${name} does not ${denied ? 'let us in' : 'answer'} (${why.replace(/\.$/, '').slice(0, 300)})`, [`ssh ${target} docker version   must work as this user, and ask nothing`]);
}
