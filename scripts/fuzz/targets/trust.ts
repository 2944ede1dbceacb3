import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { CONVERTED_TYPES, convertCheckpoint, convertLora, GgufError } from '../../../gguf/index.js';
import { readChoices } from '../../../src/batch/choices.js';
import { readHints } from '../../../src/batch/hints.js';
import { CropJournal } from '../../../src/batch/journal/crop-journal.js';
import { readEarlierRuns } from '../../../src/batch/journal/journal-file.js';
import { journalIn } from '../../../src/batch/journal/journal-place.js';
import { runBatch } from '../../../src/batch/run-batch.js';
import { FramewrightError } from '../../../src/base/errors.js';
import { buildProgram } from '../../../src/cli/program.js';
import { readMat5 } from '../../../src/eval/datasets/mat5.js';
import { packageFile } from '../../../src/files/package-root.js';
import { readCatalogFile } from '../../../src/model/catalog-file.js';
import { readManifest } from '../../../src/model/manifest.js';
import { placesOf, stateOf } from '../../../src/model/store.js';
import { loadPromptProfile } from '../../../src/vlm/prompt/profile.js';
import { BYTE_MUTATIONS } from '../byte-mutations.js';
import type { Dice } from '../dice.js';
import { oddJson } from '../json-mutations.js';
import type { FuzzTarget } from '../target.js';

const HASH = createHash('sha256').update('x').digest('hex');
const ADAPTER = packageFile('test', 'fixtures', 'lora', 'dpo');
const PROFILES = packageFile('examples', 'models');
const CHECKPOINTS = packageFile('test', 'fixtures', 'convert');
const MAT_FILES = ['cells.mat', 'struct-compressed.mat', 'struct-plain.mat'];

/** Files that lie beside photos and models, which anybody may have put there. */
export const trustTargets: readonly FuzzTarget[] = [
  { name: 'journal', prepare: prepareJournal },
  target('manifest', async (folder, dice) => {
    const sound = JSON.parse(readFileSync(packageFile('gguf', 'nano', 'manifest.json'), 'utf8')) as object;
    const isChanged = dice.chance(0.8);
    const file = put(folder, 'manifest.json', isChanged ? changedJson(sound, dice) : JSON.stringify(sound));
    const { promptProfile } = await readManifest(file);
    await loadPromptProfile(dice.chance(0.5) ? 'nano' : promptProfile);
  }),
  target('profile', async (folder, dice) => {
    const sound = JSON.parse(readFileSync(path.join(PROFILES, 'shuttermuse', 'profile.json'), 'utf8')) as object;
    const verdicts = { keep: 'keep', refine: '{{x1}},{{y1}} {{x2}},{{y2}} "{{why}}"' };
    const profile = dice.chance(0.5) ? sound : { ...sound, answer: { verdicts } };
    const prompt = readFileSync(path.join(PROFILES, 'shuttermuse', 'crop.md'));
    put(folder, 'crop.md', dice.chance(0.3) ? changedBytes(prompt, dice) : prompt);
    await loadPromptProfile(put(folder, 'profile.json', changedJson(profile, dice)));
  }),
  target('catalogue', async (folder, dice) => {
    const file = put(folder, 'framewright.models.json', changedJson(CATALOGUE, dice));
    for (const entry of await readCatalogFile(file)) {
      for (const variant of entry.variants) stateOf(placesOf(entry, variant));
    }
  }),
  target('config', async (folder, dice) => {
    const file = put(folder, 'own.json', changedJson(CONFIG, dice));
    const program = await silentProgram();
    await program.parseAsync(['node', 'framewright', '--config', file, ...dice.pick(COMMANDS)]);
  }),
  target('lines', async (folder, dice) => {
    const file = put(
      folder,
      'lines.jsonl',
      LINES.map((line) => `${changedJson(line, dice, 0.1).toString()}\n`).join(''),
    );
    await (dice.chance(0.5) ? readHints(file) : readChoices(file));
  }),
  target('adapter', async (folder, dice) => {
    const sound = JSON.parse(readFileSync(path.join(ADAPTER, 'adapter_config.json'), 'utf8')) as object;
    const pattern = dice.chance(0.5) ? { rank_pattern: { [oddPattern(dice)]: 4 } } : {};
    put(folder, 'adapter_config.json', changedJson({ ...sound, ...pattern }, dice));
    const tensors = readFileSync(path.join(ADAPTER, 'adapter_model.safetensors'));
    put(folder, 'adapter_model.safetensors', dice.chance(0.5) ? tensors : changedBytes(tensors, dice));
    await convertLora(folder, path.join(folder, 'out.gguf'));
  }),
  target('checkpoint', async (folder, dice) => {
    const from = path.join(CHECKPOINTS, dice.pick(['qwen2.5-vl', 'qwen3-vl', 'qwen3-vl-moe', 'qwen3.5']));
    const copy = mkdtempSync(path.join(folder, 'checkpoint-'));
    try {
      cpSync(from, copy, { recursive: true });
      const name = dice.pick(readdirSync(copy));
      const sound = readFileSync(path.join(copy, name));
      const isJson = name.endsWith('.json') && dice.chance(0.8);
      if (dice.chance(0.85))
        put(copy, name, isJson ? changedJson(JSON.parse(sound.toString()), dice) : changedBytes(sound, dice));
      await convertCheckpoint(copy, path.join(copy, 'out'), { type: dice.pick(CONVERTED_TYPES) });
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }),
  target('mat', async (_folder, dice) => {
    const bytes = readFileSync(packageFile('test', 'fixtures', 'eval', dice.pick(MAT_FILES)));
    readMat5(dice.chance(0.1) ? bytes : changedBytes(bytes, dice), 'x.mat');
    await Promise.resolve();
  }),
];

function target(name: string, read: (folder: string, dice: Dice) => Promise<void>): FuzzTarget {
  return {
    name,
    prepare: () => {
      const folder = temporaryFolder();
      return Promise.resolve((dice) => outcomeOf(() => read(folder, dice)));
    },
  };
}

async function outcomeOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'read';
  } catch (thrown) {
    if (thrown instanceof FramewrightError && thrown.code !== 'INTERNAL') return thrown.code;
    if (thrown instanceof GgufError) return thrown.code;
    throw thrown;
  }
}

/** The journal of a run, with records changed and sealed anew: a checksum keeps nobody out. */
async function prepareJournal(): ReturnType<FuzzTarget['prepare']> {
  const top = temporaryFolder();
  const [photos, out, victim] = ['in', 'out', 'victim'].map((name) => path.join(top, name)) as [string, string, string];
  for (const folder of [photos, victim]) mkdirSync(folder);
  const precious = [path.join(victim, `.framewright-${HASH.slice(0, 32)}.tmp`), path.join(victim, 'precious.tmp')];
  for (const file of precious) writeFileSync(file, 'mine');
  for (const name of ['a.png', 'b.png']) {
    const photo = sharp({ create: { width: 40, height: 30, channels: 3, background: '#888' } });
    await photo.toFile(path.join(photos, name));
  }
  await runBatch({ inputs: [photos], output: `${out}/`, cropper: { engine: 'centre' } });
  const { file } = journalIn(out);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const records = lines.map((line) => (JSON.parse(line) as [string, { files: object[] }])[1]);
  const forged = { path: '../victim/x', sha256: HASH };
  return (dice) =>
    outcomeOf(async () => {
      const changed = records.map((record) => {
        const own = dice.chance(0.3) ? { ...record, files: [forged, { ...forged, sha256: 'x/../precious' }] } : record;
        return dice.chance(0.6) ? oddJson(own, dice) : own;
      });
      const bytes = Buffer.from(changed.map(sealed).join(''));
      writeFileSync(file, dice.chance(0.2) ? changedBytes(bytes, dice) : bytes);
      const runs = await readEarlierRuns(journalIn(out));
      await using journal = await CropJournal.open(runs);
      for (const record of runs.records) {
        if (record.what !== 'done') continue;
        const planned = record.planned.map((each) => path.resolve(out, each));
        await journal.finished(path.resolve(out, record.photo), record.key, planned);
      }
      if (!precious.every((each) => existsSync(each))) throw new Error('a file outside the folder is gone');
    });
}

function sealed(record: unknown): string {
  const text = JSON.stringify(record);
  return `\n["${createHash('sha256').update(text).digest('hex').slice(0, 16)}",${text}]`;
}

function changedJson(sound: unknown, dice: Dice, byteShare = 0.25): Buffer {
  const bytes = Buffer.from(JSON.stringify(oddJson(sound, dice)));
  return dice.chance(byteShare) ? changedBytes(bytes, dice) : bytes;
}

function changedBytes(sound: Buffer, dice: Dice): Buffer {
  let bytes = Buffer.from(sound);
  for (let i = dice.int(2); i >= 0; i--) {
    if (bytes.length < 2) break;
    const mutation = BYTE_MUTATIONS[dice.pick(Object.keys(BYTE_MUTATIONS))]!;
    bytes = Buffer.from(mutation({ bytes, dataStart: bytes.length }, dice));
  }
  return bytes;
}

function oddPattern(dice: Dice): string {
  const parts = [
    '(',
    ')',
    '[',
    ']',
    '*',
    '+',
    '?',
    '|',
    '.',
    '\\',
    '{2,9}',
    '{,}',
    '^',
    '$',
    '(?:',
    'a-z',
    '_proj',
    '.*',
    '(.*)*',
    '\\w',
  ];
  return Array.from({ length: 1 + dice.int(20) }, () => dice.pick(parts)).join('');
}

function put(folder: string, name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-fuzz-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const CATALOGUE = {
  schemaVersion: 1,
  models: {
    mine: { text: 'a.gguf', mmproj: { url: 'https://example.com/b.gguf', bytes: 7, sha256: HASH }, licence: 'MIT' },
    other: { extends: 'qwen2.5-vl-7b:Q4_K_M', loras: [{ file: 'c.gguf', scale: 0.5 }], promptProfile: 'standard' },
  },
};
const CONFIG = {
  ...{ aspect: ['4:5', '1:1'], size: '10x10', 'min-size': 0.5, seed: 7, journal: false, model: 'x.gguf', vram: '6GB' },
  ...{
    lora: ['a.gguf:0.5'],
    keep: '1,2,3,4',
    focus: '50%,30%',
    force: true,
    output: 'out/',
    report: 'r.html',
    jobs: 2,
  },
  ...{
    eval: { votes: 3, sweep: ['votes=1,2'], adapters: ['a=b.gguf'] },
    gguf: { json: true },
    analyse: { json: true },
  },
};
const COMMANDS = [['a.jpg'], ['analyse', 'a.jpg'], ['eval', 'flms', 'x'], ['gguf', 'inspect', 'x']];
const LINES = [
  { path: 'a.jpg', keep: [[1, 2, 3, 4]], focus: [4, 5], aspect: '4:5', minSize: 0.5, instruct: 'x', box: [1, 2, 3, 4] },
  { path: 'b.jpg', focus: { x: 0.5, y: 0.5 }, size: '10x10', photo: { widthPx: 4, heightPx: 4 }, box: [1, 2, 3, 4] },
];

/** The command with nothing behind its options. */
async function silentProgram(): ReturnType<typeof buildProgram> {
  const program = (await buildProgram('0')).configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.action(() => undefined);
  return program;
}
