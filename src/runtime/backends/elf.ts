import { existsSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

/**
 * Names of the shared libraries an ELF file asks for (DT_NEEDED), in its order. 64-bit little-endian files only; empty
 * for anything else. Reads headers only: a CUDA backend is 370 MB.
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
 */
export async function neededLibraries(path: string): Promise<string[]> {
  const file = await open(path);
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return [];
    const nSegments = header.readUInt16LE(56);
    const table = await readAt(file, Number(header.readBigUInt64LE(32)), nSegments * 56);
    const segments = Array.from({ length: nSegments }, (_, i) => ({
      type: table.readUInt32LE(i * 56),
      offset: Number(table.readBigUInt64LE(i * 56 + 8)),
      address: Number(table.readBigUInt64LE(i * 56 + 16)),
      size: Number(table.readBigUInt64LE(i * 56 + 32)),
    }));
    const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
    if (!dynamic) return [];
    const entries = await readAt(file, dynamic.offset, dynamic.size);
    const values = (tag: bigint): number[] => {
      const found: number[] = [];
      for (let at = 0; at + 16 <= entries.length; at += 16)
        if (entries.readBigInt64LE(at) === tag) found.push(Number(entries.readBigUInt64LE(at + 8)));
      return found;
    };
    const [address] = values(DT_STRTAB);
    const within = segments.find((s) => s.type === PT_LOAD && address! >= s.address && address! < s.address + s.size);
    if (address === undefined || !within) return [];
    const strings = within.offset + address - within.address;
    return await Promise.all(values(DT_NEEDED).map((offset) => readName(file, strings + offset)));
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function readName(file: FileHandle, position: number): Promise<string> {
  const bytes = await readAt(file, position, 256);
  return bytes.toString('latin1', 0, Math.max(bytes.indexOf(0), 0));
}

/**
 * Whether the dynamic loader would find a library of this name, by its cache and LD_LIBRARY_PATH; undefined where it has
 * no cache (musl, other systems).
 */
export function isLibraryInstalled(name: string): boolean | undefined {
  let cache: Buffer;
  try {
    cache = readFileSync('/etc/ld.so.cache');
  } catch {
    return undefined;
  }
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  // Its string table holds every library's path, each ended by a NUL byte.
  return cache.includes(`/${name}\0`, 0, 'latin1') || folders.some((folder) => existsSync(`${folder}/${name}`));
}
