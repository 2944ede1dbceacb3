import { Ajv, type ValidateFunction } from 'ajv';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openApiFile } from '../../scripts/openapi.mjs';
import { SCHEMAS_FOLDER, schemaFiles } from '../../scripts/schemas.mjs';
import { cropResultSchema } from '../../src/base/schema.js';
import { choiceSchema, readChoices } from '../../src/batch/choices.js';
import { hintSchema, readHints } from '../../src/batch/hints.js';
import { configSchema } from '../../src/cli/config/schema.js';
import { DEFAULT_COMMAND } from '../../src/cli/command-names.js';
import { buildProgram } from '../../src/cli/program.js';
import { exportFactsSchema } from '../../src/train/export/export-schema.js';
import { tasteLineSchema } from '../../src/train/sources/labels-file.js';
import { manifestSchema, readManifest } from '../../src/model/manifest.js';
import { ownProfileSchema } from '../../src/vlm/prompt/own/profile-schema.js';
import { openCropper } from '../../src/index.js';
import { readStudy, studySchema } from '../../src/studio/study/study-file.js';
import * as answers from '../../src/server/request/answers.js';
import * as requests from '../../src/server/request/schema.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const zodSchemas = {
  result: cropResultSchema,
  config: configSchema(await buildProgram('0.0.0'), DEFAULT_COMMAND),
  manifest: manifestSchema,
  profile: ownProfileSchema,
  hints: hintSchema,
  choices: choiceSchema,
  study: studySchema,
  taste: tasteLineSchema,
  export: exportFactsSchema,
};
type SchemaName = keyof typeof zodSchemas;

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function readLines(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

/** The schema as it is shipped, in a validator that knows nothing of ours. */
function compiled(name: SchemaName): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  return ajv.compile(readJson(path.join(SCHEMAS_FOLDER, `${name}.schema.json`)) as object);
}

/** What is wrong with a value, nothing for a valid one. */
function problems(validate: ValidateFunction, value: unknown): string[] {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

test('schemas/ says what the code checks: npm run schemas brings it up to date', () => {
  const shipped = readdirSync(SCHEMAS_FOLDER).map((name) => [
    name,
    readFileSync(path.join(SCHEMAS_FOLDER, name), 'utf8'),
  ]);
  expect(Object.fromEntries(shipped)).toEqual({
    ...schemaFiles(zodSchemas),
    'openapi.json': openApiFile({ ...requests, ...answers }),
  });
});

describe('valid for both the schema and the reader', () => {
  test('the example config, which names its schema', () => {
    const config = readJson(projectFile('examples', 'files', 'framewright.config.json'));
    expect(config).toHaveProperty('$schema');
    expect(problems(compiled('config'), config)).toEqual([]);
    expect(() => zodSchemas.config.parse(config)).not.toThrow();
  });

  test("the bundled model's manifest, and one that names its schema", async () => {
    const file = projectFile('gguf', 'nano', 'manifest.json');
    const manifest = readJson(file) as object;
    const validate = compiled('manifest');
    expect(problems(validate, manifest)).toEqual([]);
    expect(problems(validate, { $schema: '../../schemas/manifest.schema.json', ...manifest })).toEqual([]);
    expect(manifestSchema.parse({ $schema: 'x', ...manifest })).toEqual(await readManifest(file));
  });

  test.each(['shuttermuse', 'framelite'])('the example %s, its manifest and its profile', async (name) => {
    const folder = projectFile('examples', 'models', name);
    expect(problems(compiled('manifest'), readJson(path.join(folder, 'manifest.json')))).toEqual([]);
    expect(problems(compiled('profile'), readJson(path.join(folder, 'profile.json')))).toEqual([]);
    expect(await readManifest(path.join(folder, 'manifest.json'))).toMatchObject({ name });
  });

  test('the example hints', async () => {
    const file = projectFile('examples', 'files', 'hints.jsonl');
    const validate = compiled('hints');
    expect(readLines(file).flatMap((line) => problems(validate, line))).toEqual([]);
    expect((await readHints(file)).size).toBe(3);
  });

  test('the example choices', async () => {
    const file = projectFile('examples', 'files', 'choices.jsonl');
    const validate = compiled('choices');
    expect(readLines(file).flatMap((line) => problems(validate, line))).toEqual([]);
    expect(await readChoices(file)).toHaveLength(2);
  });

  test('the example study', async () => {
    const file = projectFile('examples', 'files', 'study.json');
    expect(problems(compiled('study'), readJson(file))).toEqual([]);
    expect((await readStudy(file)).pairs).toHaveLength(2);
  });

  test.each(['vlm', 'rules'] as const)('results of the engine %s', async (engine) => {
    await using cropper = await openCropper({ engine });
    const validate = compiled('result');
    for (const options of [{}, { aspect: '4:5' }, { size: '300x300' }]) {
      const result = await cropper.crop(examplePhoto('dogs'), options);
      expect(result.analysis.length).toBeGreaterThan(0);
      expect(problems(validate, JSON.parse(JSON.stringify(result)))).toEqual([]);
    }
  });
});

test.each([
  ['config', { asepct: '4:5' }, ' must NOT have additional properties'],
  ['config', { eval: { vote: 3 } }, '/eval must NOT have additional properties'],
  ['config', { engine: 'rule' }, '/engine must match a schema in anyOf'],
  ['manifest', { schemaVersion: 2 }, '/schemaVersion must be equal to constant'],
  ['profile', { stages: ['decide'] }, '/stages/0 must be equal to one of the allowed values'],
  ['profile', { answers: {} }, ' must NOT have additional properties'],
  ['hints', { path: 'a.jpg', focus: [1, 2, 3] }, '/focus must NOT have more than 2 items'],
  ['hints', { path: 'a.jpg', aspects: ['1:1'] }, ' must NOT have additional properties'],
  ['choices', { path: 'a.jpg', box: [0, 0, 10] }, '/box must NOT have fewer than 4 items'],
  ['choices', { box: [0, 0, 10, 10] }, " must have required property 'path'"],
  ['result', { schemaVersion: 1 }, " must have required property 'crop'"],
] satisfies [SchemaName, object, string][])('a %s %j is refused', (name, value, problem) => {
  expect(problems(compiled(name), value)).toContain(problem);
  expect(zodSchemas[name].safeParse(value).success).toBe(false);
});
