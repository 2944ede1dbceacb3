import type { Dice } from './dice.js';

export interface FileBytes {
  readonly bytes: Buffer;
  readonly dataStart: number;
}

export type ByteMutation = (file: FileBytes, dice: Dice) => Buffer;

/** Somewhere in the file, mostly in its header. */
function somewhere({ bytes, dataStart }: FileBytes, dice: Dice): number {
  return dice.int(dice.chance(0.85) ? Math.max(1, Math.min(dataStart, bytes.length)) : bytes.length);
}

/** Damage of disk, network and malice: they know nothing of the format but where the header ends. */
export const BYTE_MUTATIONS: Readonly<Record<string, ByteMutation>> = {
  truncate: (file, dice) =>
    file.bytes.subarray(0, dice.chance(0.5) ? somewhere(file, dice) : dice.int(file.bytes.length)),
  flipBits: (file, dice) => {
    for (let i = dice.int(8); i >= 0; i--) {
      const at = somewhere(file, dice);
      file.bytes[at] = file.bytes[at]! ^ (1 << dice.int(8));
    }
    return file.bytes;
  },
  overwriteWord: (file, dice) => {
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(dice.pick([0n, 1n, 2n ** 16n, 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n]));
    const at = somewhere(file, dice);
    word.copy(file.bytes, at, 0, Math.min(8, file.bytes.length - at));
    return file.bytes;
  },
  zeroRange: (file, dice) => {
    const at = somewhere(file, dice);
    return file.bytes.fill(dice.pick([0, 255]), at, Math.min(at + 1 + dice.int(200), file.bytes.length));
  },
  insertBytes: (file, dice) => {
    const at = somewhere(file, dice);
    const noise = Buffer.from(Array.from({ length: 1 + dice.int(40) }, () => dice.int(256)));
    return Buffer.concat([file.bytes.subarray(0, at), noise, file.bytes.subarray(at)]);
  },
  deleteBytes: (file, dice) => {
    const at = somewhere(file, dice);
    return Buffer.concat([file.bytes.subarray(0, at), file.bytes.subarray(at + 1 + dice.int(64))]);
  },
  repeatRange: (file, dice) => {
    const at = somewhere(file, dice);
    const range = Buffer.from(file.bytes.subarray(at, at + 1 + dice.int(100)));
    const to = somewhere(file, dice);
    range.copy(file.bytes, to, 0, Math.min(range.length, file.bytes.length - to));
    return file.bytes;
  },
  append: (file, dice) => Buffer.concat([file.bytes, Buffer.alloc(1 + dice.int(5000), dice.int(256))]),
};
