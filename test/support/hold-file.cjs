/**
 * Preloaded into a command under test: a file named by FRAMEWRIGHT_TEST_HELD opens only when the pipe FRAMEWRIGHT_TEST_GATE
 * has been written to and closed, as one on a network disk that does not answer.
 */
const process = require('node:process');
const promises = require('node:fs/promises');
const { syncBuiltinESMExports } = require('node:module');

const { FRAMEWRIGHT_TEST_HELD: held, FRAMEWRIGHT_TEST_GATE: gate } = process.env;
const { open, readFile } = promises;
promises.open = async (file, ...rest) => {
  if (file === held) await readFile(gate);
  return open(file, ...rest);
};
syncBuiltinESMExports();
