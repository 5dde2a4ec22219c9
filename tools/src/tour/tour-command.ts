// `odradek tour`: the main job on real data, verified.

import { Command } from 'commander'
import { integerFlag } from '../cli/terminal/flags.ts'
import { withExamples } from '../cli/terminal/help.ts'
import { onInterrupt } from '../cli/terminal/interrupts.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import { runTour } from './tour.ts'

interface Flags {
  readonly dir: string
  readonly topic?: string
  readonly partitions: number
  readonly input?: string
  readonly key?: string
  readonly records: number
  readonly thenServe: boolean
}

const DEFAULT_RECORDS = 1_000_000

export function tourCommand(terminal: Terminal): Command {
  const command = new Command('tour')
    .description(
      'Starts a broker with LMDB logs and sends real records through a producer and the threads of partition leaders to a consumer group, of which one member is killed in ' +
        'mid-stream; then counts them in an exactly-once pipeline, whose thread crashes in mid-transaction. Verifies all of it against the input. Without --input: flights ' +
        'of the United States in 2001, keyed by airport. Ends with 3 if a verification does not hold.',
    )
    .option('--input <file>', 'a file of lines, or of JSON lines (by its name .jsonl or .ndjson, or with --key)')
    .option('--key <field>', 'the field of JSON lines that is the key; a.b for a field in a field')
    .option('--records <n>', 'take at most so many records of the input', integerFlag({ min: 1 }), DEFAULT_RECORDS)
    .option('--dir <dir>', 'where the logs are', './data')
    .option('--topic <name>', 'the topic; created if it does not exist (default: flights, or the name of the file)')
    .option('--partitions <n>', 'partitions of a new topic', integerFlag({ min: 1, max: 1_000 }), 4)
    .option('--then-serve', 'on a terminal: keep serving any Kafka client afterwards, until Ctrl-C', false)
    .action(async (flags: Flags) => {
      using interrupts = onInterrupt()
      await runTour(terminal, { ...flags, input: flags.input, key: flags.key, topic: flags.topic }, interrupts.signal)
    })
  return withExamples(command, [
    ['tour'],
    ['tour --records 3000000 --partitions 8', 'all flights of the year'],
    ['tour --input orders.jsonl --key customer.id --dir ./tour'],
  ])
}
