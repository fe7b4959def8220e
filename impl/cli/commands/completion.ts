/** `lockstep completion SHELL`: a script for bash, zsh or fish that completes commands, options, streams and machines. */
import { Argument, type Command } from 'commander';
import { exitsWith, Output, type Program } from '../command.ts';
import { completions } from '../completions.ts';

/** bash breaks words at : and =, which names of streams and addresses have: they are put together again as the line has them. */
const BASH = `_lockstep() {
  local IFS=$'\\n' rest=\${COMP_LINE:0:COMP_POINT} words=() word cur broken= i glued=
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    rest=\${rest#*"$word"}
    if [ -n "$glued" ]; then words[\${#words[@]}-1]+=$word; else words+=("$word"); fi
    case $rest in [[:space:]]*) glued= ;; *) glued=yes ;; esac
  done
  cur=\${words[\${#words[@]}-1]}
  COMPREPLY=($(lockstep completion words -- "\${words[@]:1}" 2>/dev/null))
  [ "$cur" = "$word" ] || broken=\${cur%"\${cur##*[:=]}"}
  COMPREPLY=("\${COMPREPLY[@]#"$broken"}")
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _lockstep lockstep
`;
/** As a file of $fpath it is the function itself the first time, and has to complete then, too. */
const ZSH = `#compdef lockstep
_lockstep() {
  local -a found
  found=("\${(@f)$(lockstep completion words -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  if [ -n "$found" ]; then compadd -- "\${found[@]}"; else _files; fi
}
if [ "\${funcstack[1]}" = _lockstep ]; then _lockstep "$@"; else compdef _lockstep lockstep; fi
`;
const FISH = `complete -c lockstep -f -a '(lockstep completion words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`;
const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function configure(command: Command, program: Program): void {
  command
    .addArgument(
      new Argument('<shell>', 'whose script; or words: what may follow those after --').choices([
        ...Object.keys(SCRIPTS),
        'words',
      ]),
    )
    .argument('[words...]', 'with words: what is typed after `lockstep`, the last word as far as it is')
    .addHelpText(
      'after',
      [
        '',
        'bash: lockstep completion bash > ~/.local/share/bash-completion/completions/lockstep',
        'zsh:  lockstep completion zsh > a folder of $fpath, as _lockstep',
        'fish: lockstep completion fish > ~/.config/fish/completions/lockstep.fish',
      ].join('\n'),
    )
    .action(
      exitsWith(async (shell: string, words: readonly string[], _options: object, self: Command) => {
        const out = new Output(self);
        const script = SCRIPTS[shell];
        if (script !== undefined) {
          out.value({ shell, script });
          out.line(script.trimEnd());
          return undefined;
        }
        const found = await completions(program, words.length === 0 ? [''] : words);
        out.value(found);
        for (const candidate of found) out.line(candidate);
        return undefined;
      }),
    );
}
