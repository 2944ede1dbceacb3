import { defined } from '../base/defined.js';
import type { Size } from '../base/geometry.js';
import type { Cropper } from '../cropper/cropper.js';
import type { HeldPhoto } from '../cropper/held-photo.js';
import type { ConversationPart } from '../engines/engine.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import type { Element } from '../base/schema.js';
import { coveredCells } from './covered-cells.js';
import { replayAttention, type AnswerAttention } from './replay.js';
import { conversationGroups, TOKEN_GROUPS, type TokenGroup } from './token-groups.js';

/** With the elements drawn on the image shown second, and with the photo as it is in its place. */
export const CONDITIONS = ['enhanced', 'plain'] as const;
export type Condition = (typeof CONDITIONS)[number];

/** What an answer pays to the tokens of one group. */
export interface GroupAttention {
  /** Sum over the group's tokens, mean over the answer's; over all groups it sums to 1. */
  readonly share: number;
  /** Mean attention a token, over that of all tokens: 1 is what it would be if every token got the same. Null without tokens. */
  readonly lift: number | null;
  /** Mean attention a token, over that of the name or coordinate that gets most: 0..1 for these. Null without tokens. */
  readonly normalised: number | null;
}

export type ByGroup = Readonly<Record<TokenGroup, GroupAttention>>;

export interface ConditionAttention {
  readonly nAnswerTokens: number;
  readonly nTokens: Readonly<Record<TokenGroup, number>>;
  /** Mean over layers and heads. */
  readonly mean: ByGroup;
  /** `[layer][head]` */
  readonly byHead: readonly (readonly ByGroup[])[];
  /** `[image][layer][cell]`: the share each square of the photo, and of the image shown second, gets; mean over heads. */
  readonly maps: readonly (readonly (readonly number[])[])[];
}

/** What the proposed crops of one photo attend to. */
export interface PhotoAttention {
  /** Image tokens across and down. */
  readonly grid: Size;
  /** In oriented photo pixels. */
  readonly elements: readonly Element[];
  /** Squares of the grid, row by row, that hold an element. */
  readonly inside: readonly boolean[];
  readonly conditions: Readonly<Record<Condition, ConditionAttention>>;
}

/**
 * Asks for crops of a photo with and without visual enhancement, one analysis for both, and reads what each answer attends
 * to. One photo at a time.
 *
 * @throws FramewrightError USAGE for a cropper without a model; as `Cropper.crop`
 */
export async function photoAttention(
  cropper: Pick<Cropper, 'hold'>,
  input: PhotoInput,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<PhotoAttention> {
  await using held = await cropper.hold(input, signal ? { signal } : {});
  const enhanced = await proposalOf(held, [], signal);
  const plain = await proposalOf(held, ['enhancement'], signal);
  const { elements } = enhanced;
  const frame = enhanced.parts.find((part) => part.kind === 'image')!.image.frame;
  const cellPx = await held.withModel(signal, (model) => Promise.resolve(model.cellPx));
  const grid = { width: frame.width / cellPx, height: frame.height / cellPx };
  const inside = coveredCells(elements, { width: held.widthPx, height: held.heightPx }, grid);
  const read = async (parts: readonly ConversationPart[]): Promise<ConditionAttention> => {
    return held.withModel(signal, async (model, both) => {
      const groups = conversationGroups(parts, inside, (token) => model.tokenText(token));
      return summarise(await replayAttention(model, parts, both), groups);
    });
  };
  return {
    grid,
    elements,
    inside,
    conditions: { enhanced: await read(enhanced.parts), plain: await read(plain.parts) },
  };
}

async function proposalOf(
  held: HeldPhoto,
  without: readonly 'enhancement'[],
  signal: AbortSignal | undefined,
): Promise<{ parts: readonly ConversationPart[]; elements: readonly Element[] }> {
  const parts: ConversationPart[] = [];
  const { analysis } = await held.crop({
    without: [...without, 'decision'],
    onConversation: (said) => parts.push(...said),
    ...defined({ signal }),
  });
  return { parts, elements: analysis };
}

/** @param groupOfToken of the conversation's tokens, at least the attended ones */
export function summarise(
  { nLayer, nHead, nKv, nRows, means }: AnswerAttention,
  groupOfToken: readonly TokenGroup[],
): ConditionAttention {
  const groups = groupOfToken.slice(0, nKv);
  const nTokens = Object.fromEntries(
    TOKEN_GROUPS.map((group) => [group, groups.filter((other) => other === group).length]),
  ) as Record<TokenGroup, number>;
  const heads = Array.from({ length: nLayer }, (_, layer) =>
    Array.from({ length: nHead }, (__, head) => means.subarray((layer * nHead + head) * nKv).subarray(0, nKv)),
  );
  return {
    nAnswerTokens: nRows,
    nTokens,
    mean: byGroup(meanOf(heads.flat()), groups, nTokens),
    byHead: heads.map((ofLayer) => ofLayer.map((keys) => byGroup(keys, groups, nTokens))),
    maps: (['photo', 'second'] as const).map((image) =>
      heads.map((ofLayer) => {
        const keys = meanOf(ofLayer);
        return groups.flatMap((group, key) => (group.startsWith(image) ? [keys[key]!] : []));
      }),
    ),
  };
}

function byGroup(
  keys: ArrayLike<number>,
  groups: readonly TokenGroup[],
  nTokens: Readonly<Record<TokenGroup, number>>,
): ByGroup {
  const shares = Object.fromEntries(TOKEN_GROUPS.map((group) => [group, 0])) as Record<TokenGroup, number>;
  let greatest = 0;
  groups.forEach((group, key) => {
    shares[group] += keys[key]!;
    if (group === 'names' || group === 'coordinates') greatest = Math.max(greatest, keys[key]!);
  });
  const figures = TOKEN_GROUPS.map((group): [TokenGroup, GroupAttention] => {
    const share = shares[group];
    const perToken = nTokens[group] > 0 ? share / nTokens[group] : null;
    return [
      group,
      {
        share,
        lift: perToken === null ? null : perToken * groups.length,
        normalised: perToken === null || greatest === 0 ? null : perToken / greatest,
      },
    ];
  });
  return Object.fromEntries(figures) as Record<TokenGroup, GroupAttention>;
}

function meanOf(rows: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) row.forEach((value, i) => (mean[i]! += value / rows.length));
  return mean;
}
