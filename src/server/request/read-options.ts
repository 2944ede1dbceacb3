import { z } from 'zod';
import { FramewrightError } from '../../base/errors.js';
import { nearestWord } from '../../base/nearest.js';

/** Given once or several times, as Fastify has a query. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Reads the options of a request: of its JSON, and of its query, which goes before it. */
export type OptionsReader<T> = (query: Query, json: unknown) => T;

/** @returns a reader that throws FramewrightError USAGE */
export function optionsReader<S extends z.ZodObject>(schema: S): OptionsReader<z.infer<S>> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return (query, json) => {
    if (json !== undefined && (typeof json !== 'object' || json === null || Array.isArray(json))) {
      throw new FramewrightError('USAGE', 'options are a JSON object, as {"aspect": "4:5"}');
    }
    const given = Object.entries(query)
      .filter(([name]) => name !== 'token')
      .map(([name, value]) => [name, valueOf(value, properties[name])] as const);
    const parsed = schema.safeParse({ ...json, ...Object.fromEntries(given) });
    if (parsed.success) return parsed.data;
    throw new FramewrightError('USAGE', parsed.error.issues.map((issue) => explain(issue, schema)).join('; '));
  };
}

/** A query has only texts; what its schema has no text for is left for it to refuse. */
function valueOf(given: string | readonly string[], schema: boolean | JsonSchema | undefined): unknown {
  const kinds = typeof schema === 'object' ? kindsOf(schema) : [];
  if (typeof given !== 'string' || kinds.includes('string')) return given;
  if (kinds.includes('array')) return [given];
  const isNumber = kinds.includes('number') || kinds.includes('integer');
  if (isNumber && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(given)) return Number(given);
  if (kinds.includes('boolean') && ['', 'true', 'false'].includes(given)) return given !== 'false';
  return given;
}

function kindsOf(schema: JsonSchema): string[] {
  const inside = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter((each) => typeof each === 'object');
  return [schema.type ?? [], ...inside.map(kindsOf)].flat();
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodObject): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape);
    const [typo] = issue.keys as [string];
    const near = nearestWord(typo, known);
    const name = JSON.stringify(typo.slice(0, 100));
    return `there is no option ${name}; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`;
  }
  return `${issue.path.map(String).join('.')}: ${issue.message}`;
}
