// `odradek log dump|verify|stats DIR`: reads partition logs without a broker. Data on stdout, problems on stderr;
// exit code 1 when it cannot read, 3 when `verify` finds damage.
import { Command, Option } from 'commander'
import { dumpLog } from './dump-log.ts'
import { nameOf, openForReading, type ReadableLog } from './log-folders.ts'
import { figuresOf, figuresTable } from './log-stats.ts'
import { verifyLog } from './verify-log.ts'

const EXIT_FAILED = 1
const EXIT_BROKEN = 3

/** Where a command writes, and how it says that it failed; tests bring their own. */
export interface LogCommandOutput {
  readonly print: (line: string) => void
  readonly warn: (line: string) => void
  readonly exit: (code: number) => void
}

const processOutput: LogCommandOutput = {
  print: line => process.stdout.write(`${line}\n`),
  warn: line => process.stderr.write(`${line}\n`),
  exit: code => {
    process.exitCode = code
  },
}

interface Flags {
  readonly output: 'text' | 'json'
  readonly live: boolean
  readonly printDataLog?: boolean
}

/** The `log` command with its three subcommands, ready to be added to a root. */
export function logCommand(output: LogCommandOutput = processOutput): Command {
  const command = new Command('log').description('read partition logs without a broker')
  subcommand(command, 'dump', 'print batches with the fields of kafka-dump-log')
    .option('--print-data-log', 'also print records with keys, values and headers')
    .action((dir: string, flags: Flags) => withLogs(dir, flags, output, logs => dump(logs, flags, output)))
  subcommand(command, 'verify', 'check CRCs, offsets and derived state; exit code 3 when broken').action(
    (dir: string, flags: Flags) => withLogs(dir, flags, output, logs => verify(logs, flags, output)),
  )
  subcommand(command, 'stats', 'segments, offsets, bytes of records and bytes of files').action(
    (dir: string, flags: Flags) => withLogs(dir, flags, output, logs => stats(logs, flags, output)),
  )
  return command
}

function subcommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .argument('<dir>', "a broker's data directory, or one partition's folder in it")
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .option('--live', 'read although a broker is using the directory', false)
}

function withLogs(dir: string, flags: Flags, output: LogCommandOutput, work: (logs: ReadableLog[]) => void): void {
  let logs: ReadableLog[] = []
  try {
    logs = openForReading(dir, flags)
    work(logs)
  } catch (error) {
    output.warn(`odradek log: ${(error as Error).message}`)
    output.exit(EXIT_FAILED)
  } finally {
    for (const log of logs) log.close()
  }
}

function dump(logs: readonly ReadableLog[], flags: Flags, output: LogCommandOutput): void {
  const options = { format: flags.output, records: flags.printDataLog === true }
  for (const log of logs) dumpLog(log, options, output.print)
}

function verify(logs: readonly ReadableLog[], flags: Flags, output: LogCommandOutput): void {
  let broken = false
  for (const log of logs) {
    const { scannedBytes, segments, findings } = verifyLog(log)
    broken ||= findings.length > 0
    if (flags.output === 'json') {
      output.print(JSON.stringify({ ...log.identity, scannedBytes, segments, findings }))
      continue
    }
    const verdict = findings.length === 0 ? 'ok' : `${findings.length} problem${findings.length === 1 ? '' : 's'}`
    output.print(`${nameOf(log.identity)}: ${verdict}, ${scannedBytes} bytes in ${segments} segments`)
    for (const { segment, offset, problem } of findings)
      output.print(`  segment ${segment} offset ${offset}: ${problem}`)
  }
  if (broken) output.exit(EXIT_BROKEN)
}

function stats(logs: readonly ReadableLog[], flags: Flags, output: LogCommandOutput): void {
  const figures = logs.map(figuresOf)
  const lines = flags.output === 'json' ? figures.map(each => JSON.stringify(each)) : figuresTable(figures)
  for (const line of lines) output.print(line)
}
