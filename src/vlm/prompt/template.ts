import { FramewrightError } from '../../base/errors.js';

export type TemplateValues = Readonly<Record<string, string | number | undefined>>;

const SECTION = /\{\{#(\w+)\}\}\n?([\s\S]*?)\{\{\/\1\}\}\n?/g;
const VARIABLE = /\{\{(\w+)\}\}/g;

/**
 * Fills a prompt template: `{{name}}` is replaced, `{{#name}}...{{/name}}` stays only where `name` has a value. A name
 * the values do not hold is an error, so that a template cannot ask for what no stage gives.
 */
export function fillTemplate(template: string, values: TemplateValues): string {
  const lookUp = (name: string): string | number | undefined => {
    if (!(name in values))
      throw new FramewrightError('INTERNAL', `the prompt template asks for an unknown value "${name}"`);
    return values[name];
  };
  return template
    .replace(SECTION, (_, name: string, body: string) => (lookUp(name) === undefined ? '' : body))
    .replace(VARIABLE, (_, name: string) => String(lookUp(name) ?? ''))
    .trim();
}
