/** What runs where no command is named: `framewright photo.jpg`. */
export const DEFAULT_COMMAND = 'crop';

/** In the order of the help. */
export const COMMAND_NAMES = [
  DEFAULT_COMMAND,
  ...(['analyse', 'model', 'gguf', 'eval', 'attention', 'train', 'index'] as const),
  ...(['studio', 'study', 'serve', 'fleet', 'doctor', 'completion'] as const),
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** Words that make commander list the commands, or show the page of one of them. */
const ABOUT_COMMANDS: readonly string[] = ['help', '--help', '-h', '--version', '-V'];

/**
 * The commands that have to be known to run what is asked for: each brings much code of its own, and nearly always it is
 * one. All of them where it is not plain which.
 *
 * @param words the arguments, without node and the script
 */
export function neededCommands(words: readonly string[]): readonly CommandName[] {
  const first = COMMAND_NAMES.find((name) => name === words[0]);
  // Completion is made from all there are.
  if (first) return first === 'completion' ? COMMAND_NAMES : [first];
  const isPlain = words.length > 0 && !words.some((word) => isName(word) || ABOUT_COMMANDS.includes(word));
  return isPlain ? [DEFAULT_COMMAND] : COMMAND_NAMES;
}

function isName(word: string): boolean {
  return (COMMAND_NAMES as readonly string[]).includes(word);
}
