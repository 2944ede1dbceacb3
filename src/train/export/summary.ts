import { counted } from '../../base/counted.js';
import { alignedLines } from '../../base/text-table.js';
import type { ExportFacts } from './export-schema.js';

/** Reasons shown; all of them are in `export.json`. */
const SHOWN = 20;

/** An export in words: what was made, of what, and what was left out. */
export function summaryText(facts: ExportFacts): string {
  const { source, family, promptVersion, pixelBudget, counts, leftOut, analysis, seed } = facts;
  const rows = [
    ['', 'photos', 'SFT conversations', 'DPO pairs'],
    ...(['train', 'heldout'] as const).map((split) => {
      const { photos, sft, dpo } = counts[split];
      return [split === 'train' ? 'to train on' : 'held out', String(photos), String(sft), String(dpo)];
    }),
  ];
  const lines = [
    `Training data from ${source}, seed ${seed}, by framewright ${facts.framewright}`,
    `for ${family}: prompts ${promptVersion}, frames of ${pixelBudget.min} to ${pixelBudget.max} px in steps of ` +
      `${pixelBudget.cellPx} px; compositions by ${analysis}`,
    '',
    ...alignedLines(rows, [1, 2, 3]),
  ];
  const nParts = facts.photos.filter(({ part }) => part).length;
  if (nParts > 0) lines.push('', `with ${counted(nParts, 'part')} of photos among what is trained on`);
  if (leftOut.length > 0) {
    lines.push(
      '',
      `left out: ${leftOut.length}`,
      ...leftOut.slice(0, SHOWN).map(({ id, reason }) => `  ${id}: ${reason}`),
    );
    if (leftOut.length > SHOWN) lines.push(`  and ${leftOut.length - SHOWN} more, in export.json`);
  }
  return `${lines.join('\n')}\n`;
}
