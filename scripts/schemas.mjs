// schemas/*.schema.json and schemas/openapi.json from the zod schemas and their docstrings. Usage, after a build:
// node scripts/schemas.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { z } from 'zod';
import { openApiFile } from './openapi.mjs';

const root = path.resolve(import.meta.dirname, '..');
export const SCHEMAS_FOLDER = path.join(root, 'schemas');

/** What each schema is called, and where its docstrings stand; the config's descriptions are those of the options. */
const SCHEMAS = {
  result: { title: 'A crop, a line of framewright --json', source: 'src/base/schema.ts', variable: 'cropResultSchema' },
  config: { title: 'framewright.config.json' },
  manifest: { title: "A model's manifest.json", source: 'src/model/manifest.ts', variable: 'manifestSchema' },
  profile: {
    title: "A prompt profile of a model's own",
    source: 'src/vlm/prompt/own/profile-schema.ts',
    variable: 'ownProfileSchema',
  },
  hints: { title: 'A line of a hints file', source: 'src/batch/hints.ts', variable: 'hintSchema' },
  choices: { title: 'A line of a choices file', source: 'src/batch/choices.ts', variable: 'choiceSchema' },
  study: {
    title: 'A study of which crops people prefer',
    source: 'src/studio/study/study-file.ts',
    variable: 'studySchema',
  },
  taste: {
    title: "A line of one's own training data",
    source: 'src/train/sources/labels-file.ts',
    variable: 'tasteLineSchema',
  },
  export: {
    title: 'export.json of a folder of training data',
    source: 'src/train/export/export-schema.ts',
    variable: 'exportFactsSchema',
  },
};

/**
 * The text of each file by its name. Draft 7, which every editor knows. What is read says what may stand in it, so a
 * field with a default is not required.
 * @param {Record<keyof typeof SCHEMAS, import('zod').ZodType>} zodSchemas
 * @returns {Record<string, string>}
 */
export function schemaFiles(zodSchemas) {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, { title, source, variable }]) => {
      const { $schema, description, ...rest } = jsonSchema(zodSchemas[name], { source, variable, target: 'draft-7' });
      return [`${name}.schema.json`, `${JSON.stringify({ $schema, title, description, ...rest }, null, 2)}\n`];
    }),
  );
}

/**
 * A zod schema as JSON Schema, with the docstrings of the variable of the file that defines it.
 * @param {import('zod').ZodType} zodSchema
 * @param {{ source?: string, variable?: string, target: 'draft-7' | 'draft-2020-12' }} from
 */
export function jsonSchema(zodSchema, { source, variable, target }) {
  const schema = z.toJSONSchema(zodSchema, {
    target,
    io: 'input',
    override: ({ jsonSchema }) => dropSafeIntegerBounds(jsonSchema),
  });
  if (source !== undefined) describe(schema, docstringsOf(source, variable));
  return schema;
}

/** zod's `int` is a safe integer, and its bounds say nothing to a reader. */
function dropSafeIntegerBounds(schema) {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** Puts the docstrings in; the members of a list or union are at the place of the whole. */
function describe(schema, docstrings, place = '') {
  const text = docstrings.get(place);
  if (text !== undefined && schema.description === undefined) schema.description = text;
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    describe(property, docstrings, place === '' ? name : `${place}.${name}`);
  const inside = [schema.items ?? [], schema.anyOf ?? [], schema.oneOf ?? []].flat();
  // Its text is the whole's: said once.
  const parts = new Map([...docstrings].filter(([at]) => at !== place));
  for (const part of inside) describe(part, parts, place);
}

/**
 * The docstrings in a schema's definition by the dotted place of the field, its own at ''. Schemas of the same file that
 * it names are followed.
 */
function docstringsOf(file, variable) {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const declarations = new Map(
    source.statements
      .filter(ts.isVariableStatement)
      .flatMap((statement) => statement.declarationList.declarations.map((d) => [d.name.getText(), d])),
  );
  const docstrings = new Map();
  const visit = (node, place) => {
    if (ts.isIdentifier(node) && declarations.has(node.text)) return visit(declarations.get(node.text), place);
    if (ts.isVariableDeclaration(node)) {
      note(node, place);
      return visit(node.initializer, place);
    }
    if (!ts.isPropertyAssignment(node)) return ts.forEachChild(node, (child) => visit(child, place));
    const name = node.name.getText();
    const inner = place === '' ? name : `${place}.${name}`;
    note(node, inner);
    return visit(node.initializer, inner);
  };
  const note = (node, place) => {
    const [comment] = ts.getJSDocCommentsAndTags(node);
    const text = comment && ts.getTextOfJSDocComment(comment.comment);
    if (text && !docstrings.has(place)) docstrings.set(place, text.replace(/\s+/g, ' '));
  };
  visit(declarations.get(variable), '');
  return docstrings;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const dist = (file) => import(pathToFileURL(path.join(root, 'dist', 'src', file)).href);
  const { cropResultSchema } = await dist('base/schema.js');
  const { buildProgram } = await dist('cli/program.js');
  const { configSchema } = await dist('cli/config/schema.js');
  const { DEFAULT_COMMAND } = await dist('cli/command-names.js');
  const { manifestSchema } = await dist('model/manifest.js');
  const { ownProfileSchema } = await dist('vlm/prompt/own/profile-schema.js');
  const { hintSchema } = await dist('batch/hints.js');
  const { choiceSchema } = await dist('batch/choices.js');
  const { studySchema } = await dist('studio/study/study-file.js');
  const { tasteLineSchema } = await dist('train/sources/labels-file.js');
  const { exportFactsSchema } = await dist('train/export/export-schema.js');
  const files = schemaFiles({
    result: cropResultSchema,
    config: configSchema(await buildProgram('0.0.0'), DEFAULT_COMMAND),
    manifest: manifestSchema,
    profile: ownProfileSchema,
    hints: hintSchema,
    choices: choiceSchema,
    study: studySchema,
    taste: tasteLineSchema,
    export: exportFactsSchema,
  });
  const requests = await dist('server/request/schema.js');
  const answers = await dist('server/request/answers.js');
  files['openapi.json'] = openApiFile({ ...requests, ...answers });
  mkdirSync(SCHEMAS_FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(SCHEMAS_FOLDER, name), text);
}
