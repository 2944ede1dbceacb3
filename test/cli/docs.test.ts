import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cliDocs, DOCS_FILE } from '../../scripts/cli-docs.mjs';
import { buildProgram } from '../../src/cli/program.js';
import { projectFile } from '../support/photos.js';
import { framewright } from './run.js';

const program = await buildProgram('0.0.0');

/** Every command with its path, the program itself first. */
function walk(command: Command, path: readonly string[] = []): { command: Command; path: readonly string[] }[] {
  return [{ command, path }, ...command.commands.flatMap((inner) => walk(inner, [...path, inner.name()]))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** The command an example calls, and the options it gives it. */
function called(line: string): { command: Command; flags: string[] } {
  const words = line
    .replace(/\s#.*$|\|.*$/, '')
    .trim()
    .split(/\s+/)
    .slice(1);
  let command = program;
  for (const word of words) {
    const inner = command.commands.find((candidate) => candidate.name() === word);
    if (!inner) break;
    command = inner;
  }
  if (command === program && !/^(-V|--version|-h|--help)$/.test(words[0] ?? '')) {
    command = program.commands.find((candidate) => candidate.name() === 'crop')!;
  }
  return { command, flags: words.filter((word) => /^--?[a-z]/.test(word) && word !== '--help') };
}

test('docs/cli.md says what the commands say: npm run docs brings it up to date', () => {
  expect(readFileSync(DOCS_FILE, 'utf8')).toBe(cliDocs(program));
});

describe('the help of', () => {
  test.each(walk(program).map(({ command, path }) => [['framewright', ...path].join(' '), command] as const))(
    '%s has examples, each with options it knows',
    (name, command) => {
      const examples = helpOf(command)
        .split('Examples:\n')[1]!
        .split('\n')
        .filter((line) => /^ {2}(source <\()?framewright /.test(line));
      expect(examples.length).toBeGreaterThan(0);
      for (const line of examples) {
        const { command: runs, flags } = called(line.replace(/^ {2}source <\(|\)/g, '  '));
        if (name !== 'framewright' && name !== 'framewright crop') expect(line).toContain(name);
        const known = runs.options.flatMap(({ short, long }) => [short, long]);
        for (const flag of flags) expect(known, line).toContain(flag);
      }
    },
  );

  test('a command that is inside another is printed with exit code 0', async () => {
    const { code, stdout, stderr } = await framewright(['gguf', 'toy', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('--preset <name>');
  });
});

// README has a handful and leads to the page of them all.
test.each([
  ['README.md', 3],
  ['docs/command.md', 5],
  ['docs/evaluation.md', 5],
  ['docs/models.md', 5],
] as const)('%s gives options only that there are', (page, fewerLines) => {
  const lines = readFileSync(projectFile(page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('framewright '));
  expect(lines.length).toBeGreaterThan(fewerLines);
  for (const line of lines) {
    const { command, flags } = called(line);
    const known = command.options.flatMap(({ short, long }) => [short, long]);
    for (const flag of flags) expect(known, line).toContain(flag);
  }
});
