import { homedir } from 'node:os';
import path from 'node:path';

/** `$XDG_CACHE_HOME/framewright`, else `~/.cache/framewright` (`%LOCALAPPDATA%` on Windows). */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? path.join(homedir(), '.cache');
  return path.join(base, 'framewright');
}
