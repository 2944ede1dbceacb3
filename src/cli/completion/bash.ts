import type { ValueKind } from '../option-values.js';
import { allCommands, withDefault, type CommandShape, type OptionShape } from './describe.js';

/**
 * A script for bash 3.2 and later that needs no bash-completion. Where COMPREPLY stays empty, bash completes names of
 * files, which `compopt` turns off for values that are none (bash 4; in 3.2 it does not exist, and files are offered).
 */
export function bashScript(program: CommandShape, defaultCommand: string): string {
  const commands = allCommands(program);
  const pathOf = ({ path }: CommandShape): string => path.join(' ');
  const steps = commands
    .filter(({ path }) => path.length > 0)
    .map((command) => `      '${command.path.slice(0, -1).join(' ')}|${command.name}') path='${pathOf(command)}' ;;`);
  const withValue = commands.flatMap((command) =>
    namesOf(command.options.filter(({ value }) => value)).map((name) => `'${pathOf(command)}|${name}'`),
  );
  return `# bash completion for framewright; to load it: source <(framewright completion bash)
_framewright() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" path='' position=0 i word
  COMPREPLY=()
  # bash splits --engine=rules into three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${path:-${defaultCommand}}|$word" in
      ${withValue.map((pattern) => pattern.replace(/^'\|/, `'${defaultCommand}|`)).join(' | ')})
        ((i++))
        [[ "\${COMP_WORDS[i]}" == '=' ]] && ((i++))
        continue
        ;;
    esac
    [[ $word == -* || $word == '=' ]] && continue
    if ((position > 0)); then
      ((position++))
      continue
    fi
    case "$path|$word" in
${steps.join('\n')}
      *) position=1 ;;
    esac
  done
  case "\${path:-${defaultCommand}}|$prev" in
${valueCases(commands).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$path" in
${commands.map((command) => `      '${pathOf(command)}') ${reply(namesOf(withDefault(command, defaultCommand).options))} ;;`).join('\n')}
    esac
    compopt +o default +o bashdefault 2>/dev/null
    return
  fi
  case "$path|$position" in
${positionCases(commands).join('\n')}
  esac
}
complete -o bashdefault -o default -F _framewright framewright
`;
}

function namesOf(options: readonly OptionShape[]): string[] {
  return options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
}

function reply(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
}

/** What is written before the last comma stays. */
function replyList(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -P "\${cur%"\${cur##*,}"}" -W '${words.join(' ')}' -- "\${cur##*,}"))`;
}

function valueCases(commands: readonly CommandShape[]): string[] {
  return commands.flatMap((command) =>
    command.options.flatMap((option) => {
      if (!option.value) return [];
      const patterns = namesOf([option]).map((name) => `'${command.path.join(' ')}|${name}'`);
      return [`    ${patterns.join(' | ')})\n      ${offer(option.value)}\n      return\n      ;;`];
    }),
  );
}

function offer(value: ValueKind): string {
  if (value.kind === 'choice') return value.isList ? replyList(value.choices) : reply(value.choices);
  return value.kind === 'file' ? ':' : 'compopt +o default +o bashdefault 2>/dev/null';
}

/** Subcommands first; then the first argument where it is one of some words. Files are what is left. */
function positionCases(commands: readonly CommandShape[]): string[] {
  return commands.flatMap(({ path, commands: inner, arguments: [first] }) => {
    const words = inner.length > 0 ? inner.map(({ name }) => name) : first?.kind === 'choice' ? first.choices : [];
    return words.length > 0 ? [`    '${path.join(' ')}|0') ${reply(words)} ;;`] : [];
  });
}
