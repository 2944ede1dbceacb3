import { api } from '../api.js';
import { attempt, run } from '../store.js';

/** How far the crops are that the engine makes. */
export function Progress() {
  const { isRunning, nTotal, nDone, nFailed, elapsedMs, error } = run.value;
  if (nTotal === 0) return null;
  const failed = nFailed > 0 ? `, ${nFailed} failed` : '';
  if (!isRunning) {
    return (
      <p class={error === undefined ? 'note' : 'note error'} role="status">
        {nDone < nTotal ? `Stopped: ${nDone} of ${nTotal} done` : `${nDone} done`}
        {failed} in {(elapsedMs / 1000).toFixed(1)} s.{error !== undefined && ` ${error}`}
      </p>
    );
  }
  const left = nDone > 0 ? ((elapsedMs / nDone) * (nTotal - nDone)) / 1000 : undefined;
  return (
    <div class="progress">
      <progress max={nTotal} value={nDone} aria-label="photos cropped" />
      <span>
        {nDone} of {nTotal}
        {failed}
        {left !== undefined && `, about ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`}
      </span>
      <button type="button" onClick={() => void attempt(api.cancel)}>
        Cancel
      </button>
    </div>
  );
}
