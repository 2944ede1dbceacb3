import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONFIG_NAME } from '../../../src/cli/config/config.js';
import { projectFile } from '../../support/photos.js';
import { framewright } from '../run.js';
import { usePhotoFolder } from '../crop/photo-folder.js';

const { at, run } = usePhotoFolder();

function configure(config: unknown, name = CONFIG_NAME): void {
  writeFileSync(at(name), JSON.stringify({ engine: 'centre', ...(config as object) }));
}

describe('a config file that was only found', () => {
  test.each([
    [{ force: true }, '"force" is not taken from a config file that was only found; give --force itself'],
    [{ report: '../victim.txt' }, '"report": ../victim.txt outside its own folder is not taken'],
    [{ 'contact-sheet': '/tmp/victim.jpg' }, '"contact-sheet": /tmp/victim.jpg outside its own folder'],
    [{ journal: '../../victim.jsonl' }, '"journal": ../../victim.jsonl outside'],
    [{ 'review-list': '..' }, '"review-list": .. outside'],
    [{ output: 'link/out/' }, '"output": link/out/ outside'],
    [{ report: 'victim-link.html' }, '"report": victim-link.html outside'],
  ])('with %j is refused, and says how it can be had', async (config, says) => {
    mkdirSync(at('elsewhere'));
    writeFileSync(at('elsewhere', 'victim.html'), 'mine');
    mkdirSync(at('in', 'here'));
    symlinkSync(at('elsewhere'), at('in', 'link'));
    symlinkSync(at('elsewhere', 'victim.html'), at('in', 'victim-link.html'));
    configure(config, `in/${CONFIG_NAME}`);
    const refused = await framewright(['--dry-run', 'dogs.jpg'], { cwd: at('in') });
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(says);
    expect(readFileSync(at('elsewhere', 'victim.html'), 'utf8')).toBe('mine');
  });

  test('writes within its own folder, and takes a model from anywhere', async () => {
    configure({ force: false, output: 'out/', report: 'out/report.html', model: '../gone.gguf' });
    expect((await run('in/dogs.jpg')).code).toBe(0);
    expect(existsSync(at('out', 'report.html'))).toBe(true);
  });

  test('may say more where --config names it', async () => {
    configure({ force: true, output: '../out/' }, `in/${CONFIG_NAME}`);
    for (let i = 0; i < 2; i++) expect((await run('--config', `in/${CONFIG_NAME}`, 'in/dogs.jpg')).code).toBe(0);
    expect(existsSync(at('out', 'dogs-crop.jpg'))).toBe(true);
  });

  test('that the command line overrules is not asked', async () => {
    configure({ force: true, report: '../victim.txt' });
    expect((await run('--force', '--report', at('r.html'), 'in/dogs.jpg')).code).toBe(0);
  });
});

describe('files that are read by themselves', () => {
  const pipe = (name: string): void => void execFileSync('mkfifo', [at(name)]);
  test.each([
    [CONFIG_NAME, []],
    ['framewright.models.json', ['--engine', 'vlm', '--model', 'mine']],
    ['manifest.json', ['--engine', 'vlm', '--model', '.']],
    ['hints.jsonl', ['--hints', 'hints.jsonl']],
    ['choices.jsonl', ['--choices', 'choices.jsonl']],
    ['model.gguf', ['--engine', 'vlm', '--model', 'model.gguf', '--mmproj', 'model.gguf']],
    ['a.lora.gguf', ['--engine', 'vlm', '--lora', 'a.lora.gguf']],
  ])('%s that is a pipe, a device or too large is refused at once', async (name, args) => {
    const photos = name === 'choices.jsonl' ? [] : ['in/dogs.jpg'];
    for (const put of [
      () => pipe(name),
      () => symlinkSync('/dev/zero', at(name)),
      () => {
        writeFileSync(at(name), '');
        truncateSync(at(name), 300e9);
      },
    ]) {
      put();
      const { code, stdout, stderr } = await run(
        ...(name === CONFIG_NAME ? ['--engine', 'centre'] : []),
        ...args,
        ...photos,
      );
      expect({ stdout, failed: code !== 0, stderr }).toEqual({
        stdout: '',
        failed: true,
        stderr: expect.stringMatching(/^framewright: .* \[(?!INTERNAL)[A-Z_]+\]\n/) as string,
      });
      execFileSync('rm', [at(name)]);
    }
  });
});

test.each([
  ['manifest.json', { promptProfile: '__proto__' }],
  ['manifest.json', { promptProfile: 'constructor' }],
  ['manifest.json', { promptProfile: '../standard' }],
  ['manifest.json', { files: { text: { name: 'a\0b', bytes: 1, sha256: '0'.repeat(64) } } }],
])('%s with %j is a typed error', async (name, change) => {
  cpSync(projectFile('gguf', 'nano'), at('model'), { recursive: true });
  const manifest = JSON.parse(readFileSync(at('model', name), 'utf8')) as { files: object };
  const files = { ...manifest.files, ...('files' in change ? change.files : {}) };
  writeFileSync(at('model', name), JSON.stringify({ ...manifest, ...change, files }));
  const { code, stderr } = await run('--model', 'model', '--dry-run', 'in/dogs.jpg');
  expect(code).toBe(3);
  expect(stderr).toMatch(/\[MODEL_INVALID\]/);
});
