import { FramewrightError } from '../../base/errors.js';

export type TemplateValues = Readonly<Record<string, string | number | undefined>>;

const SECTION = /\{\{([#^])(\w+)\}\}\n?([\s\S]*?)\{\{\/\2\}\}\n?/g;
const VARIABLE = /\{\{(\w+)\}\}/g;
const BRACES = /\{\{.{0,40}/;

/**
 * Fills a prompt template: `{{name}}` is replaced, `{{#name}}...{{/name}}` stays only where `name` has a value, and
 * `{{^name}}...{{/name}}` only where it has none. A name the values do not hold is an error, so that a template cannot ask
 * for what no stage gives.
 */
export function fillTemplate(template: string, values: TemplateValues): string {
  const lookUp = (name: string): string | number | undefined => {
    if (!(name in values))
      throw new FramewrightError('INTERNAL', `the prompt template asks for an unknown value "${name}"`);
    return values[name];
  };
  return template
    .replace(SECTION, (_, kind: string, name: string, body: string) =>
      (lookUp(name) === undefined) === (kind === '^') ? body : '',
    )
    .replace(VARIABLE, (_, name: string) => String(lookUp(name) ?? ''))
    .trim();
}

/** The names a template asks for, and where it has braces that are no placeholder. */
export function placeholdersOf(template: string): { readonly names: ReadonlySet<string>; readonly stray?: string } {
  const names = new Set<string>();
  const inside = template.replace(SECTION, (_, __, name: string, body: string) => {
    names.add(name);
    return body;
  });
  const rest = inside.replace(VARIABLE, (_, name: string) => {
    names.add(name);
    return '';
  });
  const stray = BRACES.exec(rest)?.[0];
  return stray === undefined ? { names } : { names, stray };
}
