import { expect, test } from 'vitest';
import { COMMAND_NAMES, neededCommands } from '../../src/cli/command-names.js';
import { buildProgram } from '../../src/cli/program.js';

test('the commands there are have the names that are listed, in the order of the help', async () => {
  const { commands } = await buildProgram('0.0.0');
  expect(commands.map((command) => command.name())).toEqual(COMMAND_NAMES);
});

test.each([
  [['photo.jpg'], ['crop']],
  [['-a', '4:5', '-o', 'out/', 'photos/'], ['crop']],
  [['--config', 'own.json', 'a.jpg'], ['crop']],
  [['studio', 'photos/'], ['studio']],
  [['model', 'pull', '--help'], ['model']],
  [['doctor'], ['doctor']],
])('%j needs no more than %j', (words, needed) => {
  expect(neededCommands(words)).toEqual(needed);
});

test.each([
  [[]],
  [['--help']],
  [['help', 'model']],
  [['--version']],
  [['completion', 'zsh']],
  // A file of that name, or the command behind an option: commander knows.
  [['--no-config', 'doctor']],
  [['-o', 'train', 'a.jpg']],
])('%j needs all there are', (words) => {
  expect(neededCommands(words)).toEqual(COMMAND_NAMES);
});
