// `odradek log dump|verify|stats DIR`: reads partition logs without a broker. Data on stdout; ends with 1 when it cannot read, with 3 when `verify` finds damage.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { Command, Option } from 'commander'
import { CommandError } from '../command-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { withExamples } from '../terminal/help.ts'
import { type OutputFormat, outputOption, printRows } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { dumpLog } from './dump-log.ts'
import { type ReadableLog, readableLogs } from './log-folders.ts'
import { figuresOf } from './log-stats.ts'
import { verifyLog } from './verify-log.ts'

interface Flags {
  readonly live: boolean
}

interface LinesFlags extends Flags {
  readonly output: 'text' | 'json'
}

export function logCommand(terminal: Terminal): Command {
  const command = new Command('log').description('read partition logs without a broker')
  const add = (name: string, summary: string) =>
    command
      .command(name)
      .description(summary)
      .argument('<dir>', "a broker's data directory, or one partition's folder in it")
      .option('--live', 'read although a broker is using the directory', false)
  add('dump', 'print batches with the fields of kafka-dump-log')
    .addOption(linesOption())
    .option('--print-data-log', 'also print records with keys, values and headers', false)
    .action((dir: string, flags: LinesFlags & { readonly printDataLog: boolean }) =>
      withLogs(dir, flags, logs => dump(terminal, logs, { format: flags.output, records: flags.printDataLog })),
    )
  add('verify', 'check CRCs, offsets and derived state; ends with 3 when something is broken')
    .addOption(linesOption())
    .action((dir: string, flags: LinesFlags) => withLogs(dir, flags, logs => verify(terminal, logs, flags)))
  add('stats', 'segments, offsets, bytes of records and bytes of files')
    .addOption(outputOption())
    .action((dir: string, flags: Flags & { readonly output: OutputFormat }) =>
      withLogs(dir, flags, logs => stats(terminal, logs, flags.output)),
    )
  return withExamples(command, [
    ['log stats ./data'],
    ['log verify ./data'],
    ['log dump ./data --print-data-log -o json', 'every record that is there'],
  ])
}

function linesOption(): Option {
  return new Option('-o, --output <format>', 'text, or json: an object a line')
    .choices(['text', 'json'])
    .default('text')
}

/** Whatever keeps it from reading ends the command with 1. */
function withLogs(dir: string, flags: Flags, work: (logs: Iterable<ReadableLog>) => void): void {
  try {
    work(readableLogs(dir, flags))
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError((error as Error).message)
  }
}

function dump(terminal: Terminal, logs: Iterable<ReadableLog>, options: Parameters<typeof dumpLog>[1]): void {
  for (const log of logs) dumpLog(log, options, terminal.print)
}

function verify(terminal: Terminal, logs: Iterable<ReadableLog>, { output }: LinesFlags): void {
  let isBroken = false
  for (const log of logs) {
    const { scannedBytes, segments, findings } = verifyLog(log)
    isBroken ||= findings.length > 0
    if (output === 'json') {
      terminal.print(JSON.stringify({ ...log.identity, scannedBytes, segments, findings }))
      continue
    }
    const verdict = findings.length === 0 ? 'ok' : `${findings.length} problem${findings.length === 1 ? '' : 's'}`
    terminal.print(`${nameOf(log.identity)}: ${verdict}, ${scannedBytes} bytes in ${segments} segments`)
    for (const { segment, offset, problem } of findings)
      terminal.print(`  segment ${segment} offset ${offset}: ${problem}`)
  }
  if (isBroken) throw new CommandError('', exitCodes.broken)
}

function stats(terminal: Terminal, logs: Iterable<ReadableLog>, format: OutputFormat): void {
  printRows(terminal, format, Array.from(logs, figuresOf), [
    { title: 'TOPIC', of: log => log.topic },
    { title: 'PARTITION', of: log => log.partition, align: 'right' },
    { title: 'SEGMENTS', of: log => log.segments, align: 'right' },
    { title: 'START', of: log => log.logStartOffset, align: 'right' },
    { title: 'END', of: log => log.logEndOffset, align: 'right' },
    { title: 'RECORD-BYTES', of: log => log.recordBytes, align: 'right' },
    { title: 'FILE-BYTES', of: log => log.fileBytes, align: 'right' },
    { title: 'RATIO', of: log => log.overheadRatio, align: 'right' },
    { title: 'PRODUCERS', of: log => log.producers, align: 'right' },
    { title: 'CLEAN', of: log => log.cleanShutdown },
    { title: 'ID', of: log => log.topicId, wide: true },
  ])
}
