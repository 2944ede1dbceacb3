import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { packageFile } from '../files/package-root.js';

export interface PageContent {
  readonly title: string;
  /** What the page's scripts find as `report.data`. */
  readonly data: unknown;
  /** Scripts of the page's folder, in order; `report/shared.js` comes before them. */
  readonly scripts: readonly string[];
  /** Modules of `report/` that import nothing, by the name under which the scripts find what they export. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Code of libraries, which comes first. */
  readonly libraries?: readonly string[];
}

/**
 * One HTML page that needs nothing else: `report/shell.html` with the body, styles and scripts of a folder beside it and
 * with data put in.
 * Its policy runs these very scripts and nothing that data could bring in.
 */
export async function fillPage(folder: string, content: PageContent): Promise<string> {
  const read = (...parts: readonly string[]): Promise<string> => readFile(packageFile('report', ...parts), 'utf8');
  const [shell, body, ...styles] = await Promise.all([
    read('shell.html'),
    read(folder, 'body.html'),
    read('shared.css'),
    read(folder, 'page.css'),
  ]);
  const own = await Promise.all([read('shared.js'), ...content.scripts.map((name) => read(folder, name))]);
  const modules = await Promise.all(
    Object.entries(content.modules ?? {}).map(async ([name, file]) => asScript(name, await read(file))),
  );
  const scripts = [...(content.libraries ?? []), ...modules, ...own].map(inScript);
  const parts: Readonly<Record<string, string>> = {
    title: escapeHtml(content.title),
    style: styles.join('\n'),
    body: body.trimEnd(),
    data: JSON.stringify(content.data).replaceAll('<', '\\u003c'),
    scripts: scripts.map((code) => `<script>${code}</script>`).join('\n'),
    scriptSources: scripts.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`).join(' '),
  };
  return shell.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) => parts[name] ?? placeholder);
}

/** What a module exports as one constant: modules that lie in a page cannot be imported by its scripts. */
function asScript(name: string, code: string): string {
  const exported = [...code.matchAll(/^export function (\w+)/gm)].map(([, id]) => id!);
  return `const ${name} = (() => {\n'use strict';\n${code.replace(/^export /gm, '')}\nreturn { ${exported.join(', ')} };\n})();`;
}

/** Parsers of HTML turn CRLF into LF before the policy's hash is taken. */
function inScript(code: string): string {
  return code.replaceAll('</script', '<\\/script').replaceAll('\r\n', '\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
