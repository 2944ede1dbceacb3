// Packs the built project as npm publishes it.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * @param {string} folder where the tarball goes
 * @returns {{ tarball: string, files: string[], bytes: number }} `files` are the paths in it
 */
export function packInto(folder) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const text = execFileSync(npm, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [packed] = JSON.parse(text);
  const files = packed.files.map((file) => file.path);
  return { tarball: path.join(folder, packed.filename), files, bytes: packed.size };
}
