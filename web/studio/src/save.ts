import { api, type TargetKey } from './api.js';
import { attempt, tell } from './store.js';

const SHOWN_NAMES = 8;

/** Writes crops as files. What is in the way and was not written by the studio is only replaced on a person's word. */
export async function save(photos: readonly string[], targets?: readonly TargetKey[]): Promise<void> {
  const request = { photos: [...photos], ...(targets ? { targets: [...targets] } : {}) };
  const answer = await attempt(() => api.save(request));
  if (!answer) return;
  if (answer.existing.length === 0) {
    tellSaved(answer);
    return;
  }
  const names = answer.existing.slice(0, SHOWN_NAMES).join('\n');
  const more = answer.existing.length > SHOWN_NAMES ? `\nand ${answer.existing.length - SHOWN_NAMES} more` : '';
  if (!confirm(`These files are there already, and the studio did not write them:\n${names}${more}\n\nReplace them?`)) {
    tell('Nothing was saved.');
    return;
  }
  const replaced = await attempt(() => api.save({ ...request, replace: true }));
  if (replaced) tellSaved(replaced);
}

function tellSaved({ files, failures }: Awaited<ReturnType<typeof api.save>>): void {
  const folder = files[0]?.replace(/[\\/][^\\/]*$/, '') ?? '';
  const saved = files.length === 1 ? `Saved ${files[0]!}.` : `Saved ${files.length} files in ${folder}.`;
  const failed = failures.map(({ photo, message }) => `${photo}: ${message}`).join(' ');
  tell(`${files.length > 0 ? saved : 'Nothing was saved.'}${failed === '' ? '' : ` Not saved: ${failed}`}`);
}
