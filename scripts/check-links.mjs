// The links of every Markdown page: what is relative leads to a file of the project and, with an anchor, to a heading in it.
// Prints what leads nowhere and exits with 1.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** Known to git: a link to what only this checkout has would be dead in another. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));
const folders = new Set(files.flatMap(foldersAbove));
const pages = new Map(files.filter((file) => file.endsWith('.md')).map((file) => [file, readPage(file)]));

let nLinks = 0;
const problems = [...pages].flatMap(([page, { links }]) => links.flatMap((link) => check(page, link)));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${nLinks} relative links of ${pages.size} pages lead somewhere`);

function check(page, { target, line }) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
  nLinks += 1;
  const [place, anchor] = target.split('#', 2);
  const file = place === '' ? page : path.posix.join(path.posix.dirname(page), decodeURI(place)).replace(/\/$/, '');
  const from = `${page}:${line}: ${target}`;
  if (!files.includes(file) && !folders.has(file)) return [`${from}: there is no ${file}`];
  if (anchor === undefined) return [];
  const anchors = pages.get(file)?.anchors;
  if (!anchors) return [`${from}: ${file} is no page with headings`];
  return anchors.has(anchor) ? [] : [`${from}: no heading of ${file} makes #${anchor}`];
}

/** @returns {{ links: { target: string, line: number }[], anchors: Set<string> }} */
function readPage(file) {
  const links = [];
  const anchors = new Set();
  let fence;
  for (const [i, text] of readFileSync(path.join(root, file), 'utf8').split('\n').entries()) {
    const [mark] = /^ *(```+|~~~+)/.exec(text)?.slice(1) ?? [];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence)))
      fence = fence === undefined ? mark : undefined;
    if (fence !== undefined || mark !== undefined) continue;
    const heading = /^#{1,6} +(.*?) *#*$/.exec(text)?.[1];
    if (heading !== undefined) anchors.add(free(slug(heading), anchors));
    const prose = text.replace(/`[^`]*`/g, '');
    for (const [, target] of prose.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)) links.push({ target, line: i + 1 });
  }
  return { links, anchors };
}

/** As GitHub makes the anchor of a heading. */
function slug(heading) {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

/** The second heading of a name gets -1. */
function free(name, taken) {
  if (!taken.has(name)) return name;
  let n = 1;
  while (taken.has(`${name}-${n}`)) n += 1;
  return `${name}-${n}`;
}

function foldersAbove(file) {
  const parts = file.split('/').slice(0, -1);
  return ['.', ...parts.map((_, i) => parts.slice(0, i + 1).join('/'))];
}
