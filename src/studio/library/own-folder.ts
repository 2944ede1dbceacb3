import { homedir } from 'node:os';
import path from 'node:path';

/** Where photos are kept that belong to no folder: `$XDG_DATA_HOME/framewright/studio`, else below `~/.local/share`. */
export function studioFolder(): string {
  const base = process.env.XDG_DATA_HOME ?? process.env.LOCALAPPDATA ?? path.join(homedir(), '.local', 'share');
  return path.join(base, 'framewright', 'studio');
}
