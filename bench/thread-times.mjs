// CPU time of this process's threads by what they do, from Linux's /proc: unlike time on the clock, what other processes
// take from a thread is not in it.
import { readdirSync, readFileSync } from 'node:fs';

/** The addon's threads, as native/src/binding/worker.cpp names them. */
const KINDS = { 'framewright mod': 'vision', 'framewright con': 'language' };

/**
 * Milliseconds so far of the vision tower's thread, the language model's, the one of JavaScript, and all others (libvips,
 * Node's pool, V8's helpers); a model of several threads has the rest of them among the others.
 */
export function threadTimes() {
  const times = { vision: 0, language: 0, script: 0, others: 0 };
  for (const id of readdirSync('/proc/self/task')) {
    const thread = `/proc/self/task/${id}`;
    try {
      const kind =
        KINDS[readFileSync(`${thread}/comm`, 'utf8').trim()] ?? (Number(id) === process.pid ? 'script' : 'others');
      times[kind] += Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    } catch {
      // ended meanwhile
    }
  }
  return times;
}
