// Holds native/src to its layers: binding -> train -> context -> model -> support, each including only those behind it, and JavaScript
// known to binding alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const dir = path.resolve(import.meta.dirname, '..', 'native', 'src');
const LAYERS = ['binding', 'train', 'context', 'model', 'support'];
const JAVASCRIPT = /^(napi|node|node_api|js_native_api|v8|uv)(-inl)?\.h$/;

/** The layer of an included file of ours, or undefined for a library's. */
function layerOf(include, folder) {
  if (existsSync(path.join(dir, folder, include))) return path.dirname(path.join(folder, include)).split(path.sep)[0];
  return existsSync(path.join(dir, include)) ? include.split('/')[0] : undefined;
}

function problemOf(include, folder) {
  if (include.split('/').includes('..')) return 'names another folder from native/src, as "model/model.h"';
  if (folder !== 'binding' && JAVASCRIPT.test(include)) return 'only binding/ knows of JavaScript';
  const layer = layerOf(include, folder);
  if (layer !== undefined && LAYERS.indexOf(layer) < LAYERS.indexOf(folder)) return `${folder}/ is below ${layer}/`;
  return undefined;
}

const files = readdirSync(dir, { recursive: true }).filter((name) => /\.(cpp|h)$/.test(name));
const problems = files.flatMap((name) => {
  const folder = name.split(path.sep)[0];
  if (!LAYERS.includes(folder) || path.dirname(name) !== folder) return [`${name}: stands in no layer's folder`];
  const includes = readFileSync(path.join(dir, name), 'utf8').matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)/gm);
  return [...includes].flatMap(([, include]) => {
    const problem = problemOf(include, folder);
    return problem === undefined ? [] : [`${name} includes ${include}: ${problem}`];
  });
});
for (const problem of problems) console.error(`native/src/${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
