import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildVocabulary } from '../../../gguf/index.js';
import { readCatalogFile } from '../../../src/model/catalog-file.js';
import { resolveModel } from '../../../src/model/resolve.js';
import { vocabularyTokenizer } from '../../../src/train/vocabulary-tokenizer.js';
import { requireSpeakable } from '../../../src/vlm/one-box/require-speakable.js';
import { loadPromptProfile } from '../../../src/vlm/prompt/profile.js';
import { nanoTokenizer } from '../../../training/nano/vocabulary.js';
import { projectFile } from '../../support/photos.js';
import { declareWhere } from '../../support/system-tools.js';

const root = mkdtempSync(path.join(tmpdir(), 'framewright-profile-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PROFILE = {
  schemaVersion: 1,
  name: 'mine',
  stages: ['decision'],
  prompts: { decision: 'crop.md' },
  answer: { box: '({{x1}},{{y1}}),({{x2}},{{y2}})' },
};
const THREE = {
  schemaVersion: 1,
  name: 'three',
  stages: ['analysis', 'enhancement', 'proposal', 'decision'],
  prompts: { analysis: 'look.md', proposal: 'propose.md', decision: 'choose.md' },
};
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'crop.md': 'Where is the best crop{{#aspect}} of {{aspect}}{{/aspect}}?',
  'look.md': 'What is in it?',
  'propose.md': '{{count}} crops.',
  'choose.md': '{{candidates}}\nWhich?',
};

let nFolders = 0;
function folderWith(profile: unknown, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = path.join(root, String(nFolders++));
  mkdirSync(folder);
  const file = path.join(folder, 'profile.json');
  writeFileSync(file, typeof profile === 'string' ? profile : JSON.stringify(profile));
  for (const [name, text] of Object.entries({ ...FILES, ...files })) writeFileSync(path.join(folder, name), text);
  return file;
}

describe('a model’s own profile', () => {
  test('is its files: the version tells any change of them', async () => {
    const versions = await Promise.all([
      loadPromptProfile(folderWith(PROFILE)),
      loadPromptProfile(folderWith(PROFILE)),
      loadPromptProfile(folderWith(PROFILE, { 'crop.md': 'Where?' })),
      loadPromptProfile(folderWith({ ...PROFILE, coordinates: 'pixels' })),
    ]).then((profiles) => profiles.map(({ version }) => version));
    expect(versions[0]).toMatch(/^mine\/own\+[0-9a-f]{8}$/);
    expect(versions[1]).toBe(versions[0]);
    expect(new Set(versions).size).toBe(3);
  });

  test('may be asked in all four stages with prompts of its own, and takes the owner’s words where they have a place', async () => {
    const plain = await loadPromptProfile(folderWith(THREE));
    expect(plain).toMatchObject({ stages: THREE.stages, takesInstruction: false, style: { box: 'bbox_2d' } });
    expect(plain.oneBox).toBeUndefined();
    const wordy = folderWith(THREE, { 'propose.md': '{{count}} crops. {{#instruct}}Asked: {{instruct}}{{/instruct}}' });
    expect((await loadPromptProfile(wordy)).takesInstruction).toBe(true);
  });

  const long = 'x'.repeat(64 * 1024 + 1);
  test.each<[string, unknown, string | RegExp, Readonly<Record<string, string | Uint8Array>>?]>([
    ['no JSON', '{"stages":', /cannot read the prompt profile .*profile\.json/],
    [
      'no UTF-8',
      PROFILE,
      /cannot read the prompt profile .*: the prompt profile .* is not UTF-8/,
      { 'profile.json': Uint8Array.of(0x7b, 0xff, 0x7d) },
    ],
    [
      'a huge profile',
      PROFILE,
      /cannot read the prompt profile .* has more than 1 MB/,
      { 'profile.json': ' '.repeat(1024 ** 2 + 1) },
    ],
    ['another version', { ...PROFILE, schemaVersion: 2 }, /profile\.json is wrong at schemaVersion/],
    ['an unknown key', { ...PROFILE, stage: ['decision'] }, /Unrecognized key: "stage"/],
    ['a name for a path', { ...PROFILE, name: '../x' }, /wrong at name/],
    ['an unknown stage', { ...PROFILE, stages: ['decide'] }, /wrong at stages\.0: .*"analysis"/],
    ['no stage', { ...PROFILE, stages: [] }, /wrong at stages/],
    [
      'stages in no order',
      { ...PROFILE, stages: ['enhancement', 'decision'] },
      /wrong at stages: enhancement, decision cannot follow one another/,
    ],
    [
      'a stage without a prompt',
      { ...PROFILE, stages: ['analysis', 'decision'] },
      /wrong at prompts\.analysis: is missing/,
    ],
    [
      'a prompt without a stage',
      { ...PROFILE, prompts: { ...PROFILE.prompts, analysis: 'look.md' } },
      /wrong at prompts\.analysis: there is no stage analysis/,
    ],
    [
      'a prompt that is not there',
      { ...PROFILE, prompts: { decision: 'gone.md' } },
      /at prompts\.decision: there is no/,
    ],
    [
      'a prompt in another folder',
      { ...PROFILE, prompts: { decision: '../0/crop.md' } },
      /wrong at prompts\.decision: the file must lie in the folder/,
    ],
    [
      'an absolute prompt',
      { ...PROFILE, prompts: { decision: '/etc/passwd' } },
      /prompts\.decision: the file must lie/,
    ],
    ['a drive’s prompt', { ...PROFILE, prompts: { decision: 'C:\\x.md' } }, /prompts\.decision: the file must lie/],
    ['a prompt with a NUL', { ...PROFILE, prompts: { decision: 'a\0.md' } }, /prompts\.decision: .* no NUL/],
    [
      'a prompt that is not UTF-8',
      PROFILE,
      /the prompt .*crop\.md is not UTF-8; .*prompts\.decision/,
      { 'crop.md': Uint8Array.of(0xff, 0xfe, 0x41) },
    ],
    ['a huge prompt', PROFILE, /crop\.md has more than .*prompts\.decision/, { 'crop.md': long }],
    ['an empty prompt', PROFILE, /prompts\.decision: the file .*crop\.md is empty/, { 'crop.md': ' \n' }],
    [
      'a placeholder nobody fills',
      PROFILE,
      /crop\.md asks for \{\{shape\}\}, which is not given; width, height/,
      { 'crop.md': 'As {{shape}}' },
    ],
    [
      'a section that is not closed',
      PROFILE,
      /crop\.md has braces .* not closed: \{\{#aspect\}\}/,
      { 'crop.md': 'Crop {{#aspect}}to {{aspect}}' },
    ],
    [
      'ratios the prompt has no place for',
      { ...PROFILE, ratios: { words: { '1:1': 'square' } } },
      /crop\.md has no place for \{\{ratio\}\}/,
    ],
    ['no place for candidates', THREE, /choose\.md has no place for \{\{candidates\}\}/, { 'choose.md': 'Which?' }],
    ['no place for their number', THREE, /propose\.md has no place for \{\{count\}\}/, { 'propose.md': 'Crops.' }],
    ['ratios that are none', { ...PROFILE, ratios: { words: { square: '1:1' } } }, /wrong at ratios\.words/],
    ['no ratio at all', { ...PROFILE, ratios: { words: {} } }, /wrong at ratios\.words: it knows no ratio/],
    ['no answer', { ...PROFILE, answer: undefined }, /wrong at answer: is missing/],
    ['two answers', { ...PROFILE, answer: { ...PROFILE.answer, verdicts: {} } }, /wrong at answer: give either/],
    ['an answer where there are candidates', { ...THREE, answer: PROFILE.answer }, /wrong at answer: is for one box/],
    [
      'an answer without a corner',
      { ...PROFILE, answer: { box: '{{x1}},{{y1}},{{x2}}' } },
      /at answer\.box: \{\{y2\}\} is/,
    ],
    ['an answer without a box', { ...PROFILE, answer: { box: 'yes' } }, /at answer\.box: \{\{x1\}\} is missing/],
    ['no verdict', { ...PROFILE, answer: { verdicts: {} } }, /answer\.verdicts: there must be one/],
    ['an unknown verdict', { ...PROFILE, answer: { verdicts: { maybe: 'x' } } }, /wrong at answer\.verdicts/],
    [
      'a better crop without a box',
      { ...PROFILE, answer: { verdicts: { keep: 'keep', refine: 'refine' } } },
      /at answer\.verdicts\.refine: \{\{x1\}\} is missing/,
    ],
    [
      'verdicts that begin alike',
      { ...PROFILE, answer: { verdicts: { keep: 'k', reject: 'kr' } } },
      /at answer\.verdicts\.keep: cannot be told from answer\.verdicts\.reject/,
    ],
  ])('is refused with %s, by file and place', async (_, profile, message, files) => {
    const file = folderWith(profile, files);
    await expect(loadPromptProfile(file)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });

  declareWhere(process.platform !== 'win32', 'a prompt that is a link', 'a system with links for everyone', () => {
    test('may be a link into a store, as models are kept', async () => {
      const file = folderWith({ ...PROFILE, prompts: { decision: 'link.md' } });
      symlinkSync(folderWith(PROFILE).replace('profile.json', 'crop.md'), path.join(path.dirname(file), 'link.md'));
      expect((await loadPromptProfile(file)).templates.decide).toBe(FILES['crop.md']);
    });
  });
});

describe('a manifest that names a profile', () => {
  const manifest = (promptProfile: string): object => ({
    schemaVersion: 1,
    name: 'm',
    licence: '',
    trained: false,
    files: { text: { name: 'toy.gguf' }, mmproj: { name: 'toy-mmproj.gguf' } },
    promptProfile,
    pixelBudget: { min: 28 ** 2, max: 64 * 28 ** 2 },
    contextCells: 2048,
    preprocess: { positionRamps: false },
    overlay: { labels: true },
  });

  test('finds it beside itself, and nowhere else', async () => {
    const folder = path.dirname(folderWith(PROFILE));
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest('profile.json')));
    expect((await resolveModel({ model: folder })).use.promptProfile).toBe(path.join(folder, 'profile.json'));
    for (const outside of ['../profile.json', path.join(root, '0', 'profile.json')]) {
      writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest(outside)));
      await expect(resolveModel({ model: folder })).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringMatching(/manifest\.json is wrong at promptProfile: .* in the model's folder/) as string,
      });
    }
  });

  test('that is not there says so', async () => {
    const file = path.join(root, 'gone.json');
    await expect(loadPromptProfile(file)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: `cannot read the prompt profile ${file}: it does not exist`,
    });
  });

  test('from a catalogue of one’s own, finds it from there', async () => {
    const folder = path.dirname(folderWith(PROFILE));
    const file = path.join(folder, 'framewright.models.json');
    const models = { mine: { text: 'a.gguf', mmproj: 'b.gguf', promptProfile: 'profile.json' } };
    writeFileSync(file, JSON.stringify({ schemaVersion: 1, models }));
    expect((await readCatalogFile(file))[0]!.use.promptProfile).toBe(path.join(folder, 'profile.json'));
  });

  test('whose answer the tokenizer does not cut at its placeholders is refused', async () => {
    const box = '{{x1}},{{y1}},{{x2}},{{y2}} because"{{why}}"';
    const profile = await loadPromptProfile(folderWith({ ...PROFILE, answer: { box } }));
    const words = nanoTokenizer([]);
    expect(() => requireSpeakable(profile, vocabularyTokenizer(buildVocabulary(words)))).not.toThrow();
    // Here the letter takes the quotation mark with it: the model knows the two as one token.
    const joining = vocabularyTokenizer(buildVocabulary({ ...words, words: ['"It'] }));
    expect(() => requireSpeakable(profile, joining)).toThrow(
      /the prompt profile mine has an answer .* does not cut at its placeholders: 0,0,0,0 because"It is calmer so\."/,
    );
  });

  test('as the examples do, is sound', async () => {
    for (const name of ['shuttermuse', 'framelite']) {
      const folder = path.join(root, name);
      cpSync(projectFile('examples', 'models', name), folder, { recursive: true });
      const { use } = await resolveModel({ model: folder });
      const profile = await loadPromptProfile(use.promptProfile);
      expect(profile).toMatchObject({ name, stages: ['decision'], coordinates: 'thousand' });
    }
  });
});
