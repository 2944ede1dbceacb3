// llama.cpp's sources, unpacked once from node-llama-cpp's bundle into native/vendor.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { bundleChecksum, openBundle } from './bundle.mjs';
import { nativeDir } from './packages.mjs';

export const vendorDir = path.join(nativeDir, 'vendor');
const SYMLINK = 0o120000;
const EXECUTABLE = 0o100755;

/** What libmtmd and the addon compile against; the rest of the tree is 3,600 files. */
const MTMD_PATHS =
  /^(LICENSE$|include\/|ggml\/include\/|src\/llama-ext\.h$|tools\/mtmd\/[^/]*\.(cpp|h)$|tools\/mtmd\/(models|debug)\/[^/]*\.(cpp|h)$)/;

/**
 * Unpacks `part` of the bundle's tree unless the same was unpacked before.
 * @param {{ bundle: string, part: 'mtmd' | 'all', into?: string }} options
 * @returns {{ dir: string, commit: string, unpacked: boolean }}
 */
export function unpackLlama({ bundle, part, into = vendorDir }) {
  const dir = path.join(into, part === 'all' ? 'llama.cpp' : 'libmtmd');
  const stampPath = path.join(dir, '.bundle.json');
  const checksum = bundleChecksum(bundle);
  const select = part === 'all' ? /^/ : MTMD_PATHS;
  const stamp = existsSync(stampPath) ? JSON.parse(readFileSync(stampPath, 'utf8')) : undefined;
  if (stamp?.checksum === checksum && stamp.select === select.source)
    return { dir, commit: stamp.commit, unpacked: false };

  const { commit, files, read } = openBundle(bundle);
  const fresh = `${dir}.${process.pid}.tmp`;
  for (const { path: name, mode, id } of files().filter((file) => select.test(file.path))) {
    const target = path.join(fresh, name);
    mkdirSync(path.dirname(target), { recursive: true });
    if (mode === SYMLINK) {
      symlinkSync(read(id).toString(), target);
      continue;
    }
    writeFileSync(target, read(id));
    if (mode === EXECUTABLE) chmodSync(target, 0o755);
  }
  writeFileSync(path.join(fresh, '.bundle.json'), JSON.stringify({ checksum, commit, select: select.source }));
  rmSync(dir, { recursive: true, force: true });
  renameSync(fresh, dir);
  return { dir, commit, unpacked: true };
}
