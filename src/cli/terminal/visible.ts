/**
 * Control characters, which could steer a terminal or hide what a line says: those of ASCII but tab and line feed, those of
 * Latin-1, separators of lines, and marks that turn the direction of text.
 */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Text for people, with control characters as escapes; JSON stays JSON of the same value. */
export function visible(text: string): string {
  return text.replaceAll(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Writes text for people to stderr: names, messages and what files say, none of which may steer the terminal. */
export function say(text: string): void {
  process.stderr.write(visible(text));
}

/** Writes results to stdout: exact for a program that reads them, visible on a terminal. */
export function printText(text: string): void {
  process.stdout.write(process.stdout.isTTY ? visible(text) : text);
}
