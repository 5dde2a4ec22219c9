// Runs one `odradek` command line: finds the command, loads only its code, and turns whatever happens into an exit code.
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { explain } from './command-error.ts'
import { exitCodes } from './exit-codes.ts'
import { nouns } from './nouns.ts'
import { helpStyle } from './terminal/help.ts'
import type { Terminal } from './terminal/terminal.ts'

/** Resolves with the exit code; commands may also set `process.exitCode`. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const root = await rootCommand(args, terminal)
  try {
    await root.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitCodes.ok)
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const { message, exitCode } = explain(thrown)
    const path = commandPath(calledCommand(root, args))
    if (message !== '') terminal.note(`${path}: ${message}`)
    if (exitCode === exitCodes.usage) terminal.note(hintOf(path))
    return exitCode
  }
}

const ENDS = `
\`odradek COMMAND --help\` tells what a command takes, with examples. Data goes to
stdout, everything for people to stderr. Exit codes: 0 done, 1 failed, 2 not
understood, 3 a threshold or a check does not hold, 130 interrupted.`

async function rootCommand(args: readonly string[], terminal: Terminal): Promise<Command> {
  const root = new Command('odradek')
    .description('A Kafka-compatible broker that lives inside a Node process and uses all its cores.')
    .version(version(), '-V, --version')
    .helpCommand('help [command]', 'what a command does and takes')
    .enablePositionalOptions()
    .addHelpText('after', ENDS)
  const wanted = args[0] === 'help' ? args[1] : args[0]
  for (const noun of nouns) {
    if (noun.name === wanted) root.addCommand((await noun.load(terminal)).summary(noun.summary))
    else root.command(noun.name).description(noun.summary).summary(noun.summary)
  }
  settle(root, terminal)
  if (args.length === 0) root.action(() => root.outputHelp())
  return root
}

/** Every command throws instead of exiting, writes to the terminal, and tells where help is. */
function settle(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .configureHelp(helpStyle)
    .showHelpAfterError(hintOf(commandPath(command)))
    .configureOutput({
      writeOut: text => {
        terminal.write(text)
      },
      writeErr: text => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, `${commandPath(command)}: `)),
      getOutHasColors: () => terminal.hasColour,
      getErrHasColors: () => terminal.isInteractive,
      getOutHelpWidth: () => Math.min(terminal.columns, 120),
    })
  for (const child of command.commands) settle(child, terminal)
}

/** The subcommand that these arguments name, as far as they name one. */
function calledCommand(command: Command, [name, ...rest]: readonly string[]): Command {
  const called = command.commands.find(each => each.name() === name)
  return called === undefined ? command : calledCommand(called, rest)
}

function hintOf(path: string): string {
  return `(${path} --help tells what it takes)`
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}
