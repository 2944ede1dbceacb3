import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINES } from '../../../src/base/schema.js';
import { completionScript, type Shell } from '../../../src/cli/completion/completion.js';
import { describeCommand, allCommands } from '../../../src/cli/completion/describe.js';
import { buildProgram } from '../../../src/cli/program.js';
import { framewright } from '../run.js';
import { describeWith, testWith } from '../../support/system-tools.js';

const program = await buildProgram('0.0.0');
const shape = describeCommand(program);

let root: string;
const scripts = {} as Record<Shell, string>;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    scripts[shell] = path.join(root, `framewright.${shell}`);
    writeFileSync(scripts[shell], completionScript(program, shell));
  }
  writeFileSync(path.join(root, 'photo one.jpg'), '');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The line a shell has after Tab, typed at its own prompt in a terminal. */
function typed(shell: Shell, setup: string, line: string): Promise<string> {
  const commands: Record<Shell, string> = { bash: 'bash --norc -i', zsh: 'zsh -f -i', fish: 'fish -N -i' };
  const env = { ...process.env, TERM: 'dumb', PS1: '> ', HOME: root };
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['-qec', commands[shell], '/dev/null'], { cwd: root, env });
    let output = '';
    let stage = 0;
    const timer = setTimeout(() => child.kill(), 40_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // Ctrl-A goes to the start of the line, where echo turns it into something that can be read.
      if (stage === 0 && output.includes('READY-1')) {
        stage = 1;
        child.stdin.write(`${line}\t\u0001echo "RESULT:\u0005:END"\n`);
      } else if (stage === 1 && /\nRESULT:.*:END/.test(output)) {
        stage = 2;
        child.stdin.write('exit\n');
      }
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(/\nRESULT:(.*?) ?:END/.exec(output)?.[1] ?? `no result in ${JSON.stringify(output)}`);
    });
    child.stdin.write(`${setup}\necho READY-$((2 - 1))\n`);
  });
}

test('prints a script for each shell, and names the shells there are', async () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const { code, stdout } = await framewright(['completion', shell]);
    expect(code).toBe(0);
    expect(stdout).toContain('framewright');
  }
  const { code, stderr } = await framewright(['completion', 'cmd']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/bash, zsh, fish/);
});

test('every option of every command is in every script', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(program, shell);
    for (const { options } of allCommands(shape)) {
      for (const { long } of options) expect(script).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : long);
    }
  }
});

test('an option whose values are collected is repeatable, in zsh as in its help', () => {
  const options = allCommands(shape).flatMap((command) => command.options);
  const repeatable = options.filter((option) => option.isRepeatable);
  expect(new Set(repeatable.map(({ long }) => long))).toEqual(
    new Set([
      '--aspect',
      '--size',
      '--preset',
      '--keep',
      '--lora',
      '--allow-host',
      '--apart-from',
      '--dims',
      '--evaluation',
      '--adapters',
      '--code',
      '--sweep',
      '--training',
    ]),
  );
  for (const { description, isRepeatable } of options) expect(description.includes('repeatable')).toBe(isRepeatable);
  const script = completionScript(program, 'zsh');
  expect(script).toMatch(/'\*'\{-a\+,--aspect=\}/);
  expect(script).toMatch(/'\(-n --candidates\)'\{-n\+,--candidates=\}/);
});

describeWith(['bash'], 'in bash', () => {
  /** What bash offers for the words before the cursor, the last one being completed. */
  function offers(...words: string[]): string[] {
    const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _framewright 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', code, 'bash', scripts.bash, 'framewright', ...words], {
      encoding: 'utf8',
    });
    return out.split('\n').filter((line) => line !== '');
  }

  test('commands, and the default command’s options beside the program’s', () => {
    expect(offers('')).toEqual([
      'crop',
      'analyse',
      'model',
      'gguf',
      'eval',
      'attention',
      'train',
      'index',
      'studio',
      'study',
      'serve',
      'fleet',
      'doctor',
      'completion',
    ]);
    expect(offers('--co')).toEqual(['--config', '--contact-sheet']);
    expect(offers('--ver')).toEqual(['--version', '--verbose']);
    expect(offers('photo.jpg', '--asp')).toEqual(['--aspect']);
  });

  test('commands inside commands and their own options', () => {
    expect(offers('gguf', '')).toEqual([
      'inspect',
      'validate',
      'toy',
      'convert',
      'lora-convert',
      'lora-merge',
      'quantize',
    ]);
    expect(offers('gguf', 'toy', '--')).toEqual([
      '--family',
      '--preset',
      '--type',
      '--seed',
      '--dims',
      '--sparse',
      '--force',
      '--help',
    ]);
    expect(offers('eval', 'gai')).toEqual(['gaicd']);
    expect(offers('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('values, also behind an equals sign, and files where a file is meant', () => {
    expect(offers('--engine', 's')).toEqual(['saliency']);
    expect(offers('--engine', '=', '')).toEqual([...ENGINES]);
    expect(offers('--engine', 'faces,s')).toEqual(['faces,saliency']);
    expect(offers('--engine', 'faces,vlm,')).toEqual(ENGINES.map((name) => `faces,vlm,${name}`));
    expect(offers('--engine', '=', 'ru')).toEqual(['rules']);
    expect(offers('crop', '--format', 'w')).toEqual(['webp']);
    expect(offers('doctor', '--gpu', 'c')).toEqual(['cuda', 'cpu']);
    expect(offers('--output', '')).toEqual([]);
  });

  test('an option’s value is not taken for a command', () => {
    expect(offers('-o', 'gguf', '--recur')).toEqual(['--recursive']);
    expect(offers('--output', '=', 'gguf', '--recur')).toEqual(['--recursive']);
    expect(offers('photo.jpg', 'gguf', '--recur')).toEqual(['--recursive']);
  });

  testWith(['bash', 'script'], 'on Tab at its prompt', async () => {
    const setup = `source '${scripts.bash}'`;
    expect(await typed('bash', setup, 'framewright --contact-sh')).toBe('framewright --contact-sheet');
    expect(await typed('bash', setup, 'framewright --engine sal')).toBe('framewright --engine saliency');
    expect(await typed('bash', setup, 'framewright --report pho')).toBe('framewright --report photo\\ one.jpg');
  });
});

describeWith(['zsh', 'script'], 'in zsh', () => {
  test('on Tab at its prompt', async () => {
    const setup = `bindkey -e; autoload -U compinit; compinit -u -D; source '${scripts.zsh}'`;
    expect(await typed('zsh', setup, 'framewright --contact-sh')).toBe('framewright --contact-sheet');
    expect(await typed('zsh', setup, 'framewright gguf insp')).toBe('framewright gguf inspect');
    expect(await typed('zsh', setup, 'framewright crop --engine sal')).toBe('framewright crop --engine saliency');
    expect(await typed('zsh', setup, 'framewright --engine faces,sal')).toBe('framewright --engine faces,saliency');
    expect(await typed('zsh', setup, 'framewright pho')).toBe('framewright photo\\ one.jpg');
  });
});

describeWith(['fish'], 'in fish', () => {
  function offers(line: string): string[] {
    const code = `source '${scripts.fish}'; complete -C '${line}'`;
    const out = execFileSync('fish', ['-N', '-c', code], {
      encoding: 'utf8',
      cwd: root,
      env: { ...process.env, HOME: root },
    });
    return out.split('\n').flatMap((found) => (found === '' ? [] : [found.split('\t')[0]!]));
  }

  test('commands, options and values', () => {
    expect(offers('framewright an')).toContain('analyse');
    expect(offers('framewright --contact')).toEqual(['--contact-sheet']);
    expect(offers('framewright photo.jpg --engine s')).toEqual(['saliency']);
    expect(offers('framewright photo.jpg --engine faces,s')).toEqual(['faces,saliency']);
    expect(offers('framewright gguf ')).toEqual([
      'convert',
      'inspect',
      'lora-convert',
      'lora-merge',
      'quantize',
      'toy',
      'validate',
    ]);
    expect(offers('framewright gguf toy --pre')).toEqual(['--preset']);
    expect(offers('framewright eval gai')).toEqual(expect.arrayContaining(['gaicd']));
    expect(offers('framewright --report pho')).toEqual(['photo one.jpg']);
    expect(offers('framewright doctor --contact')).toEqual([]);
  });
});
