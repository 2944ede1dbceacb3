/**
 * Preloaded into a worker under test. FRAMEWRIGHT_TEST_POISON: a photo whose name holds this ends the process that opens it,
 * as a fault in a decoder or a driver would; with FRAMEWRIGHT_TEST_POISON_ALL its worker too, as a machine that has no memory
 * left. FRAMEWRIGHT_TEST_HOLD: a photo whose name holds this is not opened before the file FRAMEWRIGHT_TEST_HOLD_UNTIL is
 * there. FRAMEWRIGHT_TEST_CLOCK: milliseconds that the clock of this machine is off.
 */
const process = require('node:process');
const { setTimeout } = require('node:timers/promises');
const { existsSync } = require('node:fs');
const promises = require('node:fs/promises');
const { syncBuiltinESMExports } = require('node:module');

const { FRAMEWRIGHT_TEST_POISON: poison, FRAMEWRIGHT_TEST_CLOCK: clock } = process.env;
const { FRAMEWRIGHT_TEST_HOLD: held, FRAMEWRIGHT_TEST_HOLD_UNTIL: until } = process.env;
if (poison !== undefined) {
  const { open } = promises;
  promises.open = async (file, ...rest) => {
    if (String(file).includes(poison)) {
      if (process.env.FRAMEWRIGHT_TEST_POISON_ALL === '1') {
        // What it had said has reached its worker, which has passed it on.
        await setTimeout(300);
        process.kill(process.ppid, 'SIGKILL');
      }
      process.abort();
    }
    return open(file, ...rest);
  };
  syncBuiltinESMExports();
}
if (held !== undefined) {
  const { open } = promises;
  promises.open = async (file, ...rest) => {
    while (String(file).includes(held) && !existsSync(until)) await setTimeout(20);
    return open(file, ...rest);
  };
  syncBuiltinESMExports();
}
if (clock !== undefined) {
  const { now } = Date;
  Date.now = () => now() + Number(clock);
}
