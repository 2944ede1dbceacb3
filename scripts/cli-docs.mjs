// docs/cli.md from the definitions of the commands. Usage, after a build: node scripts/cli-docs.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
export const DOCS_FILE = path.join(root, 'docs', 'cli.md');

/**
 * The whole page as Markdown.
 * @param {import('commander').Command} program
 * @returns {string}
 */
export function cliDocs(program) {
  const parts = [
    '# The command line',
    '<!-- Made by scripts/cli-docs.mjs (npm run docs) from the commands themselves. -->',
    ...commandDocs(program, []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function commandDocs(command, parents) {
  const names = [...parents, command.name()];
  const isProgram = parents.length === 0;
  const sections = isProgram
    ? [sentence(command.description())]
    : [`## ${names.join(' ')}`, sentence(command.description())];
  const usage = command.usage();
  sections.push(fence(`${names.join(' ')} ${usage}`));
  if (command.registeredArguments.length > 0) sections.push(argumentTable(command));
  if (command.commands.length > 0) sections.push(commandList(command, names));
  const options = command.options.filter(({ hidden }) => !hidden);
  if (options.length > 0) sections.push(optionTable(options));
  const help = afterHelp(command);
  if (help !== '') sections.push(...helpSections(help));
  return [...sections, ...command.commands.flatMap((inner) => commandDocs(inner, names))];
}

function argumentTable({ registeredArguments }) {
  const rows = registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return [code(argument.required ? `<${name}>` : `[${name}]`), argument.description + choices(argument)];
  });
  return table(['Argument', 'Meaning'], rows);
}

function commandList({ commands }, names) {
  return commands
    .map((command) => {
      const title = [...names, command.name()].join(' ');
      return `- [${title}](#${title.replaceAll(' ', '-')}): ${command.description()}`;
    })
    .join('\n');
}

function optionTable(options) {
  return table(
    ['Option', 'Meaning', 'Default'],
    options.map((option) => [code(option.flags), option.description + choices(option), code(defaultOf(option))]),
  );
}

function choices({ argChoices }) {
  return argChoices ? ` (${argChoices.join(', ')})` : '';
}

function defaultOf({ defaultValue, flags }) {
  if (defaultValue === undefined || defaultValue === false || flags.startsWith('--no-')) return '';
  return Array.isArray(defaultValue) ? defaultValue.join(', ') : String(defaultValue);
}

/** What addHelpText('after', ...) was given. */
function afterHelp(command) {
  let text = '';
  command.emit('afterHelp', { error: false, command, write: (part) => (text += part) });
  return text.trim();
}

/** Indented lines are commands and become code; the rest is prose. */
function helpSections(help) {
  return help.split('\n\n').flatMap((paragraph) => {
    const lines = paragraph.split('\n');
    const firstCode = lines.findIndex((line) => line.startsWith('  '));
    if (firstCode < 0) return [escapeHtml(paragraph)];
    const intro = lines.slice(0, firstCode).join('\n');
    const block = fence(
      lines
        .slice(firstCode)
        .map((line) => line.slice(2))
        .join('\n'),
      'sh',
    );
    return intro === '' ? [block] : [escapeHtml(intro), block];
  });
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text) {
  return text === '' ? '' : `\`${text}\``;
}

function fence(text, language = '') {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

function escapeHtml(text) {
  return text.replaceAll('<', '&lt;');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { buildProgram } = await import('../dist/src/cli/program.js');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  writeFileSync(DOCS_FILE, cliDocs(await buildProgram(version)));
}
