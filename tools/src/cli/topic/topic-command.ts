// `odradek topic ...`: topics of any cluster, and their records.
import { Command, Option } from 'commander'
import { usageError } from '../command-error.ts'
import { type ClusterFlags, clusterOptions } from '../terminal/cluster-flags.ts'
import { compressionOption, integerFlag, pairFlag, severalFlag } from '../terminal/flags.ts'
import { type Example, withExamples } from '../terminal/help.ts'
import { outputOption, styleOption } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

export function topicCommand(terminal: Terminal): Command {
  const command = new Command('topic').description('topics of any cluster, and their records')
  const add = (name: string, summary: string) => clusterOptions(command.command(name).description(summary))
  add('list', 'all topics')
    .addOption(outputOption())
    .option('--internal', 'also those of the cluster itself', false)
    .addOption(styleOption())
    .action(async flags => (await import('./topic-views.ts')).listTopics(terminal, flags))
  add('describe', 'partitions, leaders, replicas, configs')
    .argument('[topic...]', 'all of them where none is named')
    .addOption(outputOption())
    .addOption(styleOption())
    .action(async (names, flags) => (await import('./topic-views.ts')).describeTopics(terminal, names, flags))
  add('create', 'create topics')
    .argument('<topic...>')
    .option(
      '--partitions <n>',
      "how many each shall have (default: the broker's num.partitions)",
      integerFlag({ min: 1 }),
    )
    .option('--replication-factor <n>', "copies of each (default: the broker's)", integerFlag({ min: 1, max: 32_767 }))
    .option('--config <name=value>', 'a topic config; may be repeated', severalFlag(pairFlag))
    .option('--if-not-exists', 'no error for topics that are there', false)
    .option('--validate-only', 'check, and create nothing', false)
    .addOption(styleOption())
    .action(async (names, flags) => (await import('./topic-changes.ts')).createTopics(terminal, names, flags))
  add('delete', 'delete topics and their records')
    .argument('<topic...>')
    .option('--if-exists', 'no error for topics that are not there', false)
    .action(async (names, flags) => (await import('./topic-changes.ts')).deleteTopics(terminal, names, flags))
  add('alter', 'add partitions')
    .argument('<topic>')
    .requiredOption('--partitions <n>', 'how many it shall have', integerFlag({ min: 1 }))
    .action(async (name, flags) => (await import('./topic-changes.ts')).alterTopic(terminal, name, flags))
  add('offsets', 'where partitions begin and end')
    .argument('[topic...]', 'all of them where none is named')
    .option('--time <place>', 'earliest, latest, max-timestamp, or milliseconds since 1970: one offset per partition')
    .addOption(outputOption())
    .addOption(styleOption())
    .action(async (names, flags) => (await import('./topic-views.ts')).showOffsets(terminal, names, flags))
  add('trim', 'delete records from the beginning')
    .argument('<topic>')
    .option('--partition <n>', 'only this one (default: all)', integerFlag())
    .option('--before <offset>', 'delete what is before this offset', integerFlag())
    .option('--all', 'delete everything there is', false)
    .action(async (name, flags) => (await import('./topic-changes.ts')).trimTopic(terminal, name, flags))
  produceCommand(terminal, add('produce', 'send lines of standard input (or files) as records'))
  consumeCommand(terminal, add('consume', 'print records'))
  return withExamples(command, EXAMPLES)
}

const EXAMPLES: readonly Example[] = [
  ['topic create orders --partitions 8 --config retention.ms=86400000'],
  ['topic describe orders -o json'],
  ['topic alter orders --partitions 16'],
  ['topic produce orders -K : < orders.txt', 'lines such as ada:spool'],
  ["topic consume orders -o beginning -e -f '%p %o %k %s\\n'", 'all there is'],
  ['topic consume orders -g billing -n 10', 'as a member of a group'],
  ['topic consume orders -o @1767225600000 -J', 'from a time on, as JSON'],
  ['topic offsets orders --time earliest'],
  ['topic trim orders --before 1000'],
]

function produceCommand(terminal: Terminal, command: Command): void {
  command
    .argument('<topic>')
    .argument('[file...]', 'instead of standard input')
    .option('-K <separator>', 'lines are key, separator, value')
    .option('-D <delimiter>', 'what ends a record instead of a newline', '\\n')
    .option('-J', 'lines are JSON envelopes, as consume -J prints them', false)
    .option('-H, --header <name=value>', 'a header of every record; may be repeated', severalFlag(pairFlag))
    .option('-k, --key <key>', 'the key of every record')
    .option('-p, --partition <n>', 'where all records go (default: by their keys)', integerFlag())
    .option('-Z', 'empty values are tombstones, empty keys no keys', false)
    .addOption(compressionOption('-z, --compression <codec>', 'of batches'))
    .addOption(
      new Option('--acks <acks>', 'whose acknowledgement is waited for').choices(['all', '0', '1']).default('all'),
    )
    .option('-q, --quiet', 'no summary at the end', false)
    .action(async (name: string, files: readonly string[], flags) => {
      if (flags.J && flags.K !== undefined) throw usageError('-J and -K exclude each other')
      await (await import('./produce.ts')).produceLines(terminal, name, files, flags)
    })
}

function consumeCommand(terminal: Terminal, command: Command): void {
  command
    .argument('<topic...>')
    .option(
      '-o, --offset <place>',
      'beginning, end, an offset, -N (so many from the end), or @milliseconds since 1970 (default: end; with -g the committed offset)',
    )
    .option('-e, --exit', 'exit at the end instead of waiting for more', false)
    .option('-n, --count <n>', 'exit after so many records', integerFlag({ min: 1 }))
    .option('-p, --partition <n>', 'only this partition', integerFlag())
    .option('-g, --group <id>', 'read as a member of a consumer group')
    .option(
      '-f, --format <format>',
      '%t topic, %p partition, %o offset, %k key, %s value, %h headers, %T timestamp, %K %S %R lengths',
    )
    .option('-K <separator>', 'print key, separator, value')
    .option('-J', 'print JSON envelopes', false)
    .option('-Z', 'print NULL for null keys and values instead of nothing', false)
    .addOption(
      new Option('--isolation <level>', 'which records of transactions are read')
        .choices(['read-uncommitted', 'read-committed'])
        .default('read-uncommitted'),
    )
    .option('-q, --quiet', 'no notes about reached ends', false)
    .action(async (names: readonly string[], flags: ClusterFlags & { readonly [flag: string]: unknown }) => {
      if (flags.J && (flags.format !== undefined || flags.K !== undefined)) throw usageError('-J excludes -f and -K')
      await (await import('./consume.ts')).consumeRecords(terminal, names, flags as never)
    })
}
