// Reads a git bundle in plain Node: node-llama-cpp ships llama.cpp as one, and users need no git to install this package.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

const OBJECT_TYPES = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFS_DELTA = 6;
const REF_DELTA = 7;
const ID_BYTES = 20;

/**
 * Identity of a bundle's content without unpacking it: the SHA-1 that closes its pack file, as hex.
 */
export function bundleChecksum(bundlePath) {
  const file = openSync(bundlePath, 'r');
  try {
    const tail = Buffer.alloc(ID_BYTES);
    const size = fstatSync(file).size;
    if (size < ID_BYTES) throw new Error(`${bundlePath} is not a git bundle: ${size} bytes`);
    readSync(file, tail, 0, ID_BYTES, size - ID_BYTES);
    return tail.toString('hex');
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a version 2 bundle that needs no other history (https://git-scm.com/docs/gitformat-bundle,
 * https://git-scm.com/docs/gitformat-pack).
 * @returns {{ commit: string, files: () => { path: string, mode: number, id: string }[], read: (id: string) => Buffer }}
 *   `read` gives the bytes of a blob; every object's content hashes to its id, so a damaged bundle is an error here.
 */
export function openBundle(bundlePath) {
  const bytes = readFileSync(bundlePath);
  const { commit, packStart } = parseHeader(bytes, bundlePath);
  const objects = readPack(bytes.subarray(packStart), bundlePath);
  const object = (id, type) => {
    const found = objects.get(id);
    if (found?.type !== type) throw new Error(`${bundlePath}: ${type} ${id} is not in the bundle`);
    return found.data;
  };
  const files = () => {
    const list = [];
    const walk = (treeId, prefix) => {
      for (const entry of parseTree(object(treeId, 'tree'))) {
        const path = prefix + entry.name;
        if (entry.mode === 0o40000) walk(entry.id, `${path}/`);
        else if (entry.mode !== 0o160000) list.push({ path, mode: entry.mode, id: entry.id });
      }
    };
    const [, treeId] = /^tree ([0-9a-f]{40})\n/.exec(object(commit, 'commit').toString('latin1')) ?? [];
    walk(treeId, '');
    return list;
  };
  return { commit, files, read: (id) => object(id, 'blob') };
}

function parseHeader(bytes, bundlePath) {
  const end = bytes.indexOf('\n\n');
  const lines = bytes.toString('utf8', 0, Math.max(end, 0)).split('\n');
  if (lines[0] !== '# v2 git bundle') throw new Error(`${bundlePath} is not a version 2 git bundle`);
  if (lines.some((line) => line.startsWith('-'))) throw new Error(`${bundlePath} needs commits it does not hold`);
  const [, commit] = /^([0-9a-f]{40}) /.exec(lines[1] ?? '') ?? [];
  if (!commit) throw new Error(`${bundlePath} names no commit`);
  return { commit, packStart: end + 2 };
}

/** Every object of the pack by id, deltas applied. */
function readPack(pack, bundlePath) {
  if (pack.toString('latin1', 0, 4) !== 'PACK' || pack.readUInt32BE(4) !== 2)
    throw new Error(`${bundlePath} holds no version 2 pack`);
  const end = pack.length - ID_BYTES;
  const checksum = createHash('sha1').update(pack.subarray(0, end)).digest();
  if (!checksum.equals(pack.subarray(end))) throw new Error(`${bundlePath} is damaged: its checksum does not match`);

  const byOffset = new Map();
  const byId = new Map();
  const waiting = new Map(); // id of a base not seen yet -> deltas on it
  const add = (offset, type, data) => {
    const id = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex');
    const object = { type, data };
    byOffset.set(offset, object);
    byId.set(id, object);
    const children = waiting.get(id) ?? [];
    waiting.delete(id);
    for (const child of children) add(child.offset, type, applyDelta(data, child.delta));
  };

  const nObjects = pack.readUInt32BE(8);
  const late = [];
  let at = 12;
  for (let i = 0; i < nObjects; i++) {
    const offset = at;
    let byte = pack[at++];
    const kind = (byte >> 4) & 7;
    while (byte & 0x80) byte = pack[at++]; // the inflated size, which zlib tells as well
    let baseOffset;
    let baseId;
    if (kind === OFS_DELTA) {
      byte = pack[at++];
      let distance = byte & 0x7f;
      while (byte & 0x80) {
        byte = pack[at++];
        distance = (distance + 1) * 128 + (byte & 0x7f);
      }
      baseOffset = offset - distance;
    } else if (kind === REF_DELTA) {
      baseId = pack.toString('hex', at, at + ID_BYTES);
      at += ID_BYTES;
    }
    const { buffer, engine } = inflateSync(pack.subarray(at, end), { info: true });
    at += engine.bytesWritten;
    if (kind === OFS_DELTA) {
      const base = byOffset.get(baseOffset);
      if (base) add(offset, base.type, applyDelta(base.data, buffer));
      else late.push({ offset, baseOffset, delta: buffer }); // its base waits for a REF_DELTA base itself
    } else if (kind === REF_DELTA) {
      const base = byId.get(baseId);
      if (base) add(offset, base.type, applyDelta(base.data, buffer));
      else waiting.set(baseId, [...(waiting.get(baseId) ?? []), { offset, delta: buffer }]);
    } else {
      const type = OBJECT_TYPES[kind];
      if (!type) throw new Error(`${bundlePath}: unknown object type ${kind} at byte ${offset} of the pack`);
      add(offset, type, buffer);
    }
  }
  for (const { offset, baseOffset, delta } of late) {
    const base = byOffset.get(baseOffset);
    if (base) add(offset, base.type, applyDelta(base.data, delta));
  }
  if (byOffset.size !== nObjects)
    throw new Error(`${bundlePath}: ${nObjects - byOffset.size} objects have a base that is not in the bundle`);
  return byId;
}

/** gitformat-pack, "Deltified representation": a list of copies from the base and insertions of literal bytes. */
function applyDelta(base, delta) {
  let at = 0;
  const readSize = () => {
    let value = 0;
    let scale = 1;
    let byte;
    do {
      byte = delta[at++];
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte & 0x80);
    return value;
  };
  if (readSize() !== base.length) throw new Error('a delta in the bundle does not fit its base');
  const out = Buffer.allocUnsafe(readSize());
  let written = 0;
  while (at < delta.length) {
    const op = delta[at++];
    if (op & 0x80) {
      let from = 0;
      let count = 0;
      for (let i = 0; i < 4; i++) if (op & (1 << i)) from += delta[at++] * 256 ** i;
      for (let i = 0; i < 3; i++) if (op & (0x10 << i)) count += delta[at++] * 256 ** i;
      if (count === 0) count = 0x10000;
      written += base.copy(out, written, from, from + count);
    } else {
      written += delta.copy(out, written, at, at + op);
      at += op;
    }
  }
  if (written !== out.length) throw new Error('a delta in the bundle gives another size than it says');
  return out;
}

function* parseTree(data) {
  let at = 0;
  while (at < data.length) {
    const nul = data.indexOf(0, at);
    const [mode, ...name] = data.toString('utf8', at, nul).split(' ');
    at = nul + 1 + ID_BYTES;
    yield { mode: parseInt(mode, 8), name: name.join(' '), id: data.toString('hex', nul + 1, at) };
  }
}
