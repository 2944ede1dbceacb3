import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright, type Finished } from '../run.js';

const PHOTOS = ['dogs', 'pagoda', 'dandelion', 'mountains', 'dust-bowl-home'] as const;
let root: string;
let labels: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-eval-'));
  labels = join(root, 'data', 'labels.jsonl');
  await mkdir(join(root, 'data'));
  const lines = await Promise.all(
    PHOTOS.map(async (name) => {
      await sharp(examplePhoto(name))
        .resize(400)
        .toFile(join(root, 'data', `${name}.png`));
      return {
        photo: `${name}.png`,
        boxes: [
          [10, 10, 380, 200],
          [-5, 0, 350, 220],
        ],
        split: 'test',
      };
    }),
  );
  const gone = { photo: 'gone.png', boxes: [[0, 0, 9, 9]], split: 'test' };
  await writeFile(labels, [...lines, gone].map((line) => JSON.stringify(line)).join('\n'));
});
afterAll(() => rm(root, { recursive: true }));

function evaluate(...args: readonly string[]): Promise<Finished> {
  return framewright(['eval', 'own', join(root, 'data'), ...args], { env: { XDG_CACHE_HOME: join(root, 'cache') } });
}

interface Figures {
  readonly methods: { readonly name: string; readonly nReused: number; readonly figures: object }[];
}

test('prints a table, what was repaired and what is missing, and writes every output', async () => {
  const outputs = ['--out', join(root, 'a.json'), '--csv', join(root, 'a.csv'), '--report', join(root, 'a.html')];
  const { code, stdout, stderr } = await evaluate('--engine', 'full,centre,saliency', ...outputs);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^own photos: 5 photos, 95 % intervals\nmethod +IoU, best annotator/);
  expect(
    stdout
      .split('\n')
      .slice(2, 6)
      .map((line) => line.split(' ')[0]),
  ).toEqual(['full', 'centre', 'smartcrop', 'attention']);
  expect(stderr).toContain('5 labels repaired or left out');
  expect(stderr).toContain('1 labelled photos are missing\n  gone.png: ');
  expect(JSON.parse(await readFile(join(root, 'a.json'), 'utf8'))).toMatchObject({ dataset: { nPhotos: 5 } });
  expect(await readFile(join(root, 'a.photos.csv'), 'utf8')).toContain('pagoda.png,smartcrop,bde,');
  expect((await readFile(join(root, 'a.html'), 'utf8')).match(/data:image\/jpeg/g)).toHaveLength(5);

  const again = await evaluate('--engine', 'full', ...outputs);
  expect([again.code, again.stdout]).toEqual([2, '']);
  expect(again.stderr).toContain('[OUTPUT_EXISTS]');
});

test('killed in the middle, the next run goes on and ends with the figures of an uninterrupted one', async () => {
  const whole = await evaluate('--engine', 'full,rules', '--json', '--no-journal');
  const journal = join(root, 'killed.jsonl');
  const args = ['--engine', 'full,rules', '--json', '--journal', journal];
  const killed = await new Promise<Finished>((resolve, reject) => {
    const running = framewright(['eval', 'own', labels, ...args, '--verbose'], {
      onStderr: (_text, kill) => {
        // The first line comes before the first prediction; the journal then gets one every moment.
        const timer = setInterval(() => {
          void readFile(journal, 'utf8')
            .catch(() => '')
            .then((text) => {
              if (text.split('\n').length < 3) return;
              clearInterval(timer);
              kill('SIGKILL');
            });
        }, 5);
        timer.unref();
      },
    });
    running.then(resolve, reject);
  });
  expect(killed.signal).toBe('SIGKILL');
  const resumed = await evaluate(...args);
  const [wholeFigures, resumedFigures] = [whole, resumed].map(({ stdout }) => JSON.parse(stdout) as Figures);
  expect(resumedFigures!.methods.map(({ figures }) => figures)).toEqual(
    wholeFigures!.methods.map(({ figures }) => figures),
  );
  const { nReused } = resumedFigures!.methods[1]!;
  expect(nReused).toBeGreaterThanOrEqual(2);
  expect(nReused).toBeLessThan(PHOTOS.length);
});

test('an ablation with sweeps, killed and resumed, gives the figures of one that was not', async () => {
  const varied = ['--engine', 'vlm', '--limit', '2', '--ablate', 'enhancement,decision', '--gpu', 'cpu', '--json'];
  const sweeps = ['--sweep', 'candidates=2,5', '--sweep', 'image-tokens=48,64'];
  const whole = await evaluate(...varied, ...sweeps, '--no-journal');
  expect(whole.code).toBe(0);
  const journal = ['--journal', join(root, 'ablation.jsonl')];
  // What a run that was killed leaves behind: some variants, of some photos.
  await evaluate('--engine', 'vlm', '--limit', '1', '--ablate', 'decision', '--gpu', 'cpu', ...journal);
  const resumed = await evaluate(...varied, ...sweeps, ...journal);
  const [wholeFigures, resumedFigures] = [whole, resumed].map(({ stdout }) => JSON.parse(stdout) as Figures);
  expect(resumedFigures!.methods.map(({ name, nReused }) => [name, nReused])).toEqual([
    ['vlm', 1],
    ['vlm, no enhancement', 0],
    ['vlm, no decision', 1],
    ['vlm, candidates 2', 0],
    ['vlm, image tokens 48', 0],
  ]);
  // The others are asked of the first photo without what the journal answers, so in another state of the cache.
  for (const i of [0, 2, 4]) {
    expect(resumedFigures!.methods[i]!.figures).toEqual(wholeFigures!.methods[i]!.figures);
  }
  const again = JSON.parse((await evaluate(...varied, ...sweeps, ...journal)).stdout) as Figures;
  expect(again.methods.map(({ figures }) => figures)).toEqual(resumedFigures!.methods.map(({ figures }) => figures));
  expect(again.methods.map(({ nReused }) => nReused)).toEqual([2, 2, 2, 2, 2]);
});

test.each([
  [['--engine', 'magic'], 2, 'no engine is called magic; there are: full, centre'],
  [['--engine', 'prior'], 2, 'own photos has none'],
  [['--engine', 'full', '--split', 'val'], 2, 'it has: test'],
  [['--engine', 'full', '--limit', '0'], 2, 'limit is a whole number'],
  [['--engine', 'full', '--ablate', 'all'], 2, 'add it to --engine'],
  [['--engine', 'vlm', '--ablate', 'cropping'], 2, 'It is all, or a list of analysis'],
  [['--engine', 'vlm', '--sweep', 'temperature=1'], 2, 'It is one of candidates, votes'],
  [['--engine', 'vlm', '--sweep', 'votes=1,1'], 2, 'It names a value twice'],
  [['--engine', 'vlm', '--adapters', 'a=', '--adapters', 'a='], 2, 'two methods would be called a'],
  [['--engine', 'vlm', '--adapters', 'a=', '--lora', 'b.gguf'], 2, 'leave out --lora'],
])('%j is refused', async (args, code, message) => {
  const finished = await evaluate(...args);
  expect(finished.code).toBe(code);
  expect(finished.stderr).toContain(message);
  expect(finished.stdout).toBe('');
});

test('a damaged photo is one failed prediction, told with exit code 4', async () => {
  const folder = join(root, 'damaged');
  await mkdir(folder);
  const bytes = await readFile(join(root, 'data', 'dogs.png'));
  await writeFile(join(folder, 'cut.png'), bytes.subarray(0, bytes.length / 2));
  await writeFile(join(folder, 'labels.jsonl'), '{"photo": "cut.png", "boxes": [[0, 0, 100, 100]]}\n');
  const { code, stderr, stdout } = await framewright(['eval', 'own', folder, '--engine', 'full,rules', '--no-journal']);
  expect(code).toBe(4);
  expect(stderr).toContain('1 predictions failed\n  cut.png, rules: ');
  expect(stdout).toMatch(/rules +0\.000 .* 1\n$/);
});
