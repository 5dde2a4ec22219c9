// How the help of a command reads: what each flag takes and its default, in words, and examples that may be copied.
import type { Command, Help, Option } from 'commander'

/** A command line without `odradek` before it, and what it is for where it does not say so itself. */
export type Example = readonly [line: string, what?: string]

const examplesByCommand = new WeakMap<Command, readonly Example[]>()

/** Adds examples to the help of a command, and to that of each of its subcommands those that are its own. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  examplesByCommand.set(command, examples)
  addExamples(command, examples)
  for (const each of command.commands) {
    const path = `${command.name()} ${each.name()} `
    addExamples(
      each,
      examples.filter(([line]) => `${line} `.startsWith(path)),
    )
  }
  return command
}

/** Those that {@link withExamples} gave it; a test holds them against what the commands take. */
export function examplesOf(command: Command): readonly Example[] {
  return examplesByCommand.get(command) ?? []
}

function addExamples(command: Command, examples: readonly Example[]): void {
  if (examples.length === 0) return
  const lines = examples.flatMap(([line, what]) => [
    ...(what === undefined ? [] : [`  # ${what}`]),
    `  odradek ${line}`,
  ])
  command.addHelpText('after', ['', examples.length === 1 ? 'Example:' : 'Examples:', ...lines].join('\n'))
}

/** A list below the flags: names and what they mean, wrapped as flags are. */
export function withList(
  command: Command,
  title: string,
  items: readonly { readonly name: string; readonly summary: string }[],
): Command {
  const width = Math.max(...items.map(({ name }) => name.length))
  return command.addHelpText('after', ({ command: shown }) => {
    const help = shown.createHelp()
    const { getOutHelpWidth } = shown.configureOutput()
    help.prepareContext({ helpWidth: getOutHelpWidth?.() ?? 80 })
    return ['', title, ...items.map(({ name, summary }) => help.formatItem(name, width, summary, help))].join('\n')
  })
}

/** For `configureHelp` of every command. */
export const helpStyle: Partial<Help> = {
  optionDescription,
  // Descriptions are wrapped beside long flags, too, also on a terminal of eighty columns.
  minWidthToWrap: 24,
}

/** Names the choices that the description does not name, and the default as a user would write it; that a switch is off needs no word. */
function optionDescription({ description, argChoices = [], defaultValue, defaultValueDescription }: Option): string {
  const unnamed = argChoices.every(choice => description.includes(choice)) ? [] : [argChoices.join(', ')]
  const hasDefault = defaultValue !== undefined && typeof defaultValue !== 'boolean'
  const known = hasDefault ? [`default: ${defaultValueDescription ?? defaultValue}`] : []
  const more = [...unnamed, ...known]
  return more.length === 0 ? description : `${description} (${more.join('; ')})`
}
