// `odradek serve`: a broker for any Kafka client, until it is told to end.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { usageError } from '../command-error.ts'
import { checkedFlag, integerFlag, pairFlag, severalFlag, threadsFlag } from '../terminal/flags.ts'
import { withExamples } from '../terminal/help.ts'
import { readProperties } from '../terminal/properties.rules.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type ListenAddress, readAddress, readTopic } from './serve-flags.rules.ts'

export interface ServeFlags {
  readonly listen?: readonly ListenAddress[]
  readonly advertised?: ListenAddress
  readonly dir?: string
  readonly memory: boolean
  readonly threads: number | 'auto'
  /** False: `--no-busy-poll`. */
  readonly busyPoll: boolean
  readonly nodeId?: number
  readonly topic?: readonly ReturnType<typeof readTopic>[]
  readonly config?: string
  readonly set?: readonly (readonly [string, string])[]
  readonly json: boolean
  readonly quiet: boolean
  readonly run?: string
  readonly window?: string
}

export function serveCommand(terminal: Terminal): Command {
  const command = new Command('serve')
    .description(
      'Runs a broker. Prints one line with its address when it is ready; SIGTERM and SIGINT drain it and end with 0, a second signal ends it at once.',
    )
    .option(
      '--listen <host:port>',
      'where to listen; may be repeated (default: 127.0.0.1:9092)',
      severalFlag(checkedFlag(readAddress)),
    )
    .option(
      '--advertised <host:port>',
      'what clients are told, if it is not where it listens',
      checkedFlag(readAddress),
    )
    .option('--dir <dir>', 'where the LMDB logs are (default: ./data)')
    .option('--memory', 'keep logs in memory only', false)
    .option('--threads <n>', 'threads of leaders and clients: 0 to 256, or auto by the cores', threadsFlag, 'auto')
    .option(
      '--no-busy-poll',
      'threads with nothing to do sleep at once, instead of looking for more for a moment where that has paid lately',
    )
    .option('--node-id <n>', "Kafka's node.id (default: 1)", integerFlag({ max: 2 ** 31 - 1 }))
    .option(
      '--topic <name:partitions>',
      'a topic to create if it is not there; may be repeated',
      severalFlag(checkedFlag(readTopic)),
    )
    .option('--config <file>', 'Kafka broker configs, as a .properties file')
    .option('--set <name=value>', 'one Kafka broker config; may be repeated', severalFlag(pairFlag))
    .option('--run <command>', 'run a shell command with KAFKA_BOOTSTRAP_SERVERS set; end with it, with its exit code')
    .option(
      '--window <path>',
      'where `odradek actor list|trace` can look in (default: watch.sock in --dir; none with --memory)',
    )
    .option('--json', 'print the ready line as JSON', false)
    .option('--quiet', 'print neither the ready line nor warnings', false)
    .action(async (flags: ServeFlags) => {
      if (flags.memory && flags.dir !== undefined) throw usageError('--memory and --dir exclude each other')
      const { serve } = await import('./serve.ts')
      process.exitCode = await serve(terminal, flags, brokerConfigs(flags))
    })
  return withExamples(command, [
    ['serve', 'on 127.0.0.1:9092, with its logs in ./data'],
    ['serve --memory --topic orders:8'],
    ['serve --listen 0.0.0.0:9092 --advertised my-host:9092'],
    ['serve --dir ./logs --set flush.messages=1 --set log.retention.hours=24'],
    ['serve --memory --listen :0 --run "npm test"', 'a broker for the time of a command'],
  ])
}

/** The file first, then what is set by hand. */
function brokerConfigs({ config, set = [] }: ServeFlags): { readonly [name: string]: string } {
  if (config === undefined) return Object.fromEntries(set)
  try {
    return { ...readProperties(readFileSync(config, 'utf8')), ...Object.fromEntries(set) }
  } catch (error) {
    throw usageError(`--config ${config} cannot be read: ${(error as Error).message}`)
  }
}
