import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../base/errors.js';
import { readJsonFile } from '../files/json-file.js';
import { nearestWord } from '../base/nearest.js';
import { CATALOG, findInCatalog, type CatalogEntry, type ModelFile, type ModelVariant } from './catalog.js';
import { DEFAULT_USE, fileNameSchema, isProfileFile, modelUseSchema, type ModelUse } from './manifest.js';

export const CATALOG_FILE = 'framewright.models.json';

/** A path relative to the catalogue file, or an http(s) address. */
const fileSchema = z.union([
  fileNameSchema,
  z.strictObject({
    path: fileNameSchema.optional(),
    url: z.url().optional(),
    bytes: z.int().positive().optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  }),
]);

/** Models and files are stored under their names; file systems take 255 bytes, with what is beside a file while it is fetched. */
const MAX_NAME = 200;

const entrySchema = z.strictObject({
  /** A model of the catalogue (`name` or `name:variant`) that gives whatever is not said here. */
  extends: z.string().optional(),
  text: fileSchema.optional(),
  mmproj: fileSchema.optional(),
  loras: z.array(z.strictObject({ file: fileSchema, scale: z.number().optional() })).optional(),
  licence: z.string().optional(),
  ...modelUseSchema.partial().shape,
});

const catalogSchema = z.strictObject({
  schemaVersion: z.literal(1),
  models: z.record(
    z
      .string()
      .max(MAX_NAME, `a name has ${MAX_NAME} characters at most`)
      .regex(/^(?!\.+$)[\w.-]+$/, 'a name has letters, digits, ".", "-" and "_", not dots alone'),
    entrySchema,
  ),
});

type FileSpec = z.infer<typeof fileSchema>;
type EntrySpec = z.infer<typeof entrySchema>;

const KNOWN_KEYS = [
  'schemaVersion',
  'models',
  ...Object.keys(entrySchema.shape),
  ...['path', 'url', 'bytes', 'sha256', 'file', 'scale', 'min', 'max', 'positionRamps', 'labels'],
];

/** The built-in entries, then those of the user's files: the working folder's, then the user's own. */
export async function readCatalog(folder = process.cwd()): Promise<readonly CatalogEntry[]> {
  const entries = [...CATALOG];
  const files = [...new Set([path.join(folder, CATALOG_FILE), path.join(configFolder(), CATALOG_FILE)])];
  for (const file of files.filter((candidate) => existsSync(candidate))) {
    const known = new Set(entries.map(({ name }) => name));
    entries.push(...(await readCatalogFile(file)).filter(({ name }) => !known.has(name)));
  }
  return entries;
}

/** `$XDG_CONFIG_HOME/framewright`, else `~/.config/framewright` (`%APPDATA%` on Windows). */
function configFolder(): string {
  const base = process.env.XDG_CONFIG_HOME ?? process.env.APPDATA ?? path.join(homedir(), '.config');
  return path.join(base, 'framewright');
}

/** @throws FramewrightError USAGE that names the file, the place in it and the word that was meant */
export async function readCatalogFile(file: string): Promise<readonly CatalogEntry[]> {
  let parsed: unknown;
  try {
    parsed = await readJsonFile(file, 'model catalogue');
  } catch (error) {
    throw new FramewrightError('USAGE', `cannot read the model catalogue ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const result = catalogSchema.safeParse(parsed);
  if (!result.success) throw wrongAt(file, result.error.issues[0]!);
  const { models } = result.data;
  for (const name of Object.keys(models)) {
    if (name === 'nano' || findInCatalog(CATALOG, name))
      throw wrong(file, `models.${name}`, 'the name is taken by a built-in model; choose another');
  }
  return Object.entries(models).map(([name, spec]) => toEntry(file, name, spec));
}

function toEntry(file: string, name: string, spec: EntrySpec): CatalogEntry {
  const base = spec.extends === undefined ? undefined : findBase(file, name, spec.extends);
  const at = (key: string): string => `models.${name}.${key}`;
  const own = (key: string, given: FileSpec): ModelFile => toFile(file, name, at(key), given);
  const text = spec.text === undefined ? base?.variant.text : own('text', spec.text);
  const mmproj = spec.mmproj === undefined ? base?.variant.mmproj : own('mmproj', spec.mmproj);
  if (!text || !mmproj)
    throw wrong(file, at(text ? 'mmproj' : 'text'), 'is missing: give a path or an address, or "extends" a model');
  const loras = (spec.loras ?? []).map(({ file: lora, scale = 1 }, i) => ({
    file: own(`loras.${i}.file`, lora),
    scale,
  }));
  return {
    name,
    licence: spec.licence ?? base?.entry.licence ?? 'not given',
    source: file,
    use: withOwnProfile(file, modelUseSchema.parse({ ...(base?.entry.use ?? DEFAULT_USE), ...present(spec) }), spec),
    ...(!base && spec.pixelBudget === undefined && { isBudgetGuessed: true }),
    ...(base?.entry.sizes && spec.text === undefined ? { sizes: base.entry.sizes } : {}),
    variants: [{ name: base?.variant.name ?? 'own', text, mmproj, loras: [...(base?.variant.loras ?? []), ...loras] }],
  };
}

/** A prompt profile of the user's own is found from the catalogue, as files are. */
function withOwnProfile(catalogFile: string, use: ModelUse, { promptProfile }: EntrySpec): ModelUse {
  if (promptProfile === undefined || !isProfileFile(promptProfile)) return use;
  return { ...use, promptProfile: path.resolve(path.dirname(catalogFile), promptProfile) };
}

function present(spec: EntrySpec): Partial<EntrySpec> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

function findBase(file: string, name: string, wanted: string): { entry: CatalogEntry; variant: ModelVariant } {
  const found = findInCatalog(CATALOG, wanted);
  if (found?.variant) return { entry: found.entry, variant: inherited(found.entry, found.variant) };
  const known = CATALOG.flatMap((entry) => [entry.name, ...entry.variants.map((v) => `${entry.name}:${v.name}`)]);
  throw wrong(file, `models.${name}.extends`, `the catalogue has no model ${wanted}${meant(wanted, known)}`);
}

/** The files of a built-in model stay where that model has them: pulled once, they serve both. */
function inherited({ name: folder }: CatalogEntry, variant: ModelVariant): ModelVariant {
  const { text, mmproj, loras } = variant;
  return {
    ...variant,
    text: { ...text, folder },
    mmproj: { ...mmproj, folder },
    loras: loras.map((lora) => ({ ...lora, file: { ...lora.file, folder } })),
  };
}

function toFile(catalogFile: string, entry: string, where: string, given: FileSpec): ModelFile {
  const spec = typeof given === 'string' ? (/^https?:/.test(given) ? { url: given } : { path: given }) : given;
  if ((spec.path === undefined) === (spec.url === undefined))
    throw wrong(catalogFile, where, 'give either a path or a url');
  const facts = {
    ...('bytes' in spec && spec.bytes !== undefined ? { bytes: spec.bytes } : {}),
    ...('sha256' in spec && spec.sha256 !== undefined ? { sha256: spec.sha256 } : {}),
  };
  if (spec.path !== undefined) {
    const full = path.resolve(path.dirname(catalogFile), spec.path);
    return { name: path.basename(full), from: { path: full }, ...facts };
  }
  const name = path.posix.basename(new URL(spec.url!).pathname);
  if (!/^[\w.-]+\.gguf$/i.test(name))
    throw wrong(catalogFile, where, 'the address must end in the name of a .gguf file');
  if (name.length > MAX_NAME) throw wrong(catalogFile, where, `the file's name has more than ${MAX_NAME} characters`);
  return { name, from: { url: spec.url! }, folder: path.join(entry, addressKey(spec.url!)), ...facts };
}

/** Two adapters are often both called adapter.gguf, and an address may be corrected: each has a folder of its own. */
function addressKey(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 12);
}

function wrongAt(file: string, issue: z.core.$ZodIssue): FramewrightError {
  const where = issue.path.map(String).join('.');
  // A union says only that nothing fitted: the object form's own complaint is the one that helps.
  const inner =
    issue.code === 'invalid_union' ? issue.errors.flat().find((e) => e.code === 'unrecognized_keys') : issue;
  if (inner?.code === 'unrecognized_keys') {
    const [key = ''] = inner.keys;
    return wrong(file, where, `unknown key "${key}"${meant(key, KNOWN_KEYS)}`);
  }
  // Of a key zod says that it is invalid, and why only within.
  const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
  return wrong(file, where, message);
}

function wrong(file: string, where: string, what: string): FramewrightError {
  return new FramewrightError(
    'USAGE',
    `the model catalogue ${file} is wrong${where === '' ? '' : ` at ${where}`}: ${what}`,
  );
}

function meant(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}
