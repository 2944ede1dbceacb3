import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CONFIG_NAME, findConfig } from '../../../src/cli/config/config.js';
import type { CropResult } from '../../../src/base/schema.js';
import { examplePhoto, projectFile } from '../../support/photos.js';
import { framewright } from '../run.js';

let root: string;
let inner: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-config-'));
  inner = path.join(root, 'shoot', 'raw');
  mkdirSync(inner, { recursive: true });
  copyFileSync(examplePhoto('pagoda'), path.join(inner, 'pagoda.jpg'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function configure(config: unknown, folder = root): void {
  writeFileSync(path.join(folder, CONFIG_NAME), typeof config === 'string' ? config : JSON.stringify(config));
}
async function crops(...args: string[]): Promise<CropResult[]> {
  const { stdout, stderr } = await framewright(['--json', '--dry-run', ...args, 'pagoda.jpg'], { cwd: inner });
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CropResult);
}

describe('a config file', () => {
  test('in a folder above gives the options that the command line does not', async () => {
    configure({ engine: 'centre', aspect: ['1:1', '2:1'], 'min-size': 0.5 });
    const results = await crops();
    expect(results.map(({ engine, target }) => [engine, target.aspect])).toEqual([
      ['centre', '1:1'],
      ['centre', '2:1'],
    ]);
    for (const engine of ['rules,centre', ['rules', 'centre']]) {
      configure({ engine, aspect: ['1:1', '2:1'], 'min-confidence': 1 });
      expect((await crops()).map((result) => result.engine)).toEqual(['centre', 'centre']);
    }
    const given = await crops('-a', '4:5', '--engine', 'full');
    expect(given.map(({ engine, target }) => [engine, target.aspect])).toEqual([['full', '4:5']]);
  });

  test('nearer by comes before one further up, and --config and --no-config before both', async () => {
    configure({ engine: 'full' });
    configure({ engine: 'centre' }, path.dirname(inner));
    const other = path.join(root, 'other.json');
    writeFileSync(other, JSON.stringify({ engine: 'saliency' }));
    expect((await crops())[0]!.engine).toBe('centre');
    expect((await crops('--config', other))[0]!.engine).toBe('saliency');
    expect((await crops('--no-config', '--engine', 'rules', '-n', '2'))[0]!.candidates).toHaveLength(2);
    expect(findConfig(inner)).toBe(path.join(root, 'shoot', CONFIG_NAME));
  });

  test('names files as seen from its own folder', async () => {
    configure({ engine: 'full', aspect: '1:1', output: 'out/' });
    const { code, stdout } = await framewright(['pagoda.jpg'], { cwd: inner });
    expect({ code, stdout }).toEqual({ code: 0, stdout: path.join('..', '..', 'out', 'pagoda-1x1.jpg\n') });
    expect(readdirSync(path.join(root, 'out'))).toEqual(['pagoda-1x1.jpg']);
  });

  test('has a section for other commands, which take nothing from the rest but the model', async () => {
    configure({ seed: 7, json: true, model: 'gone.gguf', analyse: { json: false } });
    const { code, stderr } = await framewright(['analyse', 'pagoda.jpg'], { cwd: inner });
    expect(code).toBe(3);
    expect(stderr).toContain(path.join('..', '..', 'gone.gguf'));
    configure({ plan: true, gpu: 'cpu', journal: false, vram: '6GB', engine: 'full' });
    expect((await framewright(['--dry-run', 'pagoda.jpg'], { cwd: inner })).code).toBe(0);
    configure({ gguf: { json: true } });
    const inspected = await framewright(['gguf', 'inspect', projectFile('gguf', 'nano', 'nano.gguf')], { cwd: inner });
    expect(inspected.stdout).toMatch(/^\{"/);
  });

  test.each([
    [{ asepct: '4:5' }, '"asepct" is no option; did you mean "aspect"?'],
    [{ minSize: 0.5 }, '"minSize" is no option; did you mean "min-size"?'],
    [{ 'contact-shet': 'x.jpg' }, '"contact-shet" is no option; did you mean "contact-sheet"?'],
    [{ eval: { vote: 3 } }, '"eval.vote" is no option; did you mean "votes"?'],
    [{ candidates: 50 }, '"candidates" cannot be 50: candidates is a whole number from 1 to 20.'],
    [{ engine: 'rule' }, '"engine": expected one or several of vlm, rules, '],
    [{ engine: ['full', 'rules'] }, '"engine" cannot be full,rules: The engine full has a crop for every photo'],
    [{ fit: 'padd' }, '"fit": Invalid option: expected one of "crop"|"pad"'],
    [{ force: 'yes' }, '"force": expected true or false'],
    [{ eval: { ablate: ['analyse', 'enhance'] } }, '"eval.ablate": expected text or a number'],
    [{ aspect: { w: 4 } }, '"aspect": expected a value or a list of values'],
    [[], 'expected object'],
    ['{"aspect": ', 'is no JSON: '],
  ])('%j is refused in one line that says what was meant', async (config, message) => {
    configure(config);
    const { code, stdout, stderr } = await framewright(['--dry-run', 'pagoda.jpg'], { cwd: inner });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain(CONFIG_NAME);
    expect(stderr).toMatch(/^framewright: .* \[USAGE\]\n$/);
  });

  test('that is named and not there is refused; one that is broken keeps no shell from starting', async () => {
    const missing = await framewright(['--config', 'gone.json', 'pagoda.jpg'], { cwd: inner });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/config file gone\.json cannot be read/);
    configure('{');
    expect((await framewright(['completion', 'bash'], { cwd: inner })).code).toBe(0);
  });
});
