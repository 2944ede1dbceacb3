import { FAMILIES, type FamilyName, type ToyOptions } from '../../gguf/index.js';
import { BYTE_MUTATIONS } from './byte-mutations.js';
import { diceOf, type Dice } from './dice.js';
import { METADATA_MUTATIONS, TOKEN_MUTATIONS, type FileMutation } from './metadata-mutations.js';
import { copyPair, rawToyPair, serialize, type RawPair } from './raw-gguf.js';
import { SOUND_TEXT_MUTATIONS, SOUND_VISION_MUTATIONS } from './sound-mutations.js';
import { DATA_MUTATIONS, TENSOR_MUTATIONS } from './tensor-mutations.js';

export interface MutatedPair {
  readonly text: Buffer;
  readonly mmproj: Buffer;
  /** What was done, e.g. `text.removeTensor`. */
  readonly mutations: readonly string[];
}

type Group = Readonly<Record<string, FileMutation>>;

/** Groups of mutations and how often each is taken; for the rest, bytes are damaged. */
const GROUPS: Readonly<Record<keyof RawPair, readonly (readonly [number, Group])[]>> = {
  text: [
    [0.2, METADATA_MUTATIONS],
    [0.15, TOKEN_MUTATIONS],
    [0.2, TENSOR_MUTATIONS],
    [0.1, DATA_MUTATIONS],
    [0.2, SOUND_TEXT_MUTATIONS],
  ],
  mmproj: [
    [0.25, METADATA_MUTATIONS],
    [0.25, TENSOR_MUTATIONS],
    [0.1, DATA_MUTATIONS],
    [0.25, SOUND_VISION_MUTATIONS],
  ],
};

/** The last has rows of 256, so that its matrices can be of every quantised type. */
const BASES = {
  F32: { type: 'F32' },
  F16: { type: 'F16' },
  Q8_0: { type: 'Q8_0' },
  wide: {
    type: 'Q8_0',
    text: { nEmbd: 256, nFf: 512, nHead: 4, nHeadKv: 2, headSize: 64 },
    vision: { nEmbd: 256, nFf: 512, nHead: 4 },
  },
} as const satisfies Readonly<Record<string, ToyOptions>>;

const bases = new Map<string, RawPair>();

function basePair(name: keyof typeof BASES, family: FamilyName): RawPair {
  const key = `${family} ${name}`;
  const base = bases.get(key) ?? rawToyPair({ ...BASES[name], family });
  bases.set(key, base);
  return copyPair(base);
}

/** A tiny toy pair, of that family or of any, with one to four things changed; the same for the same seed. */
export function mutatedPair(seed: number, family?: FamilyName): MutatedPair {
  const dice = diceOf(`fuzz ${seed}`);
  const type = dice.pick(['F32', 'F16', 'Q8_0', 'wide'] as const);
  const any = dice.pick(Object.values(FAMILIES)).architecture;
  const pair = basePair(type, family ?? any);
  const mutations: string[] = [];
  const onBytes: (readonly [keyof RawPair, string])[] = [];
  for (let left = dice.pick([1, 1, 1, 2, 2, 3, 4]); left > 0; left--) {
    const which = dice.pick(['text', 'mmproj'] as const);
    const group = pickGroup(GROUPS[which], dice);
    const name = dice.pick(Object.keys(group ?? BYTE_MUTATIONS));
    if (group) group[name]!(pair[which], dice);
    else onBytes.push([which, name]);
    mutations.push(`${which}.${name}`);
  }
  const files = { text: serialize(pair.text), mmproj: serialize(pair.mmproj) };
  for (const [which, name] of onBytes) {
    if (files[which].bytes.length === 0) continue;
    files[which] = { ...files[which], bytes: BYTE_MUTATIONS[name]!(files[which], dice) };
  }
  if (dice.chance(0.01)) [files.text, files.mmproj] = [files.mmproj, files.text];
  return { text: files.text.bytes, mmproj: files.mmproj.bytes, mutations };
}

/** Undefined stands for the mutations of bytes, which come last. */
function pickGroup(groups: readonly (readonly [number, Group])[], dice: Dice): Group | undefined {
  let at = dice.int(1000) / 1000;
  for (const [share, group] of groups) {
    if (at < share) return group;
    at -= share;
  }
  return undefined;
}
