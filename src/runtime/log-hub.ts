import type { NativeAddon } from './addon.js';
import type { LogLine } from './types.js';

type Listener = (line: LogLine) => void;

/** llama.cpp's log belongs to the process: all runtimes of an addon hear the same lines. */
const hubs = new WeakMap<NativeAddon, Set<Listener>>();

/** Calls `listener` for each line from now on, and for those nobody listened to before. Returns how to stop. */
export function listenToLog(addon: NativeAddon, listener: Listener): () => void {
  let listeners = hubs.get(addon);
  if (!listeners) hubs.set(addon, (listeners = new Set()));
  const all = listeners;
  const deliver = (): void => {
    for (const line of addon.drainLogs()) for (const each of [...all]) each(line);
  };
  all.add(listener);
  if (all.size === 1) addon.setLogListener(deliver);
  queueMicrotask(deliver);
  return () => {
    if (all.delete(listener) && all.size === 0) addon.setLogListener(null);
  };
}
