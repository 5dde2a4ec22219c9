// `odradek serve`: a broker for any Kafka client, until it is told to end.
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { usageError } from '../command-error.ts'
import { integerFlag, pairFlag, severalFlag } from '../terminal/flags.ts'
import { readProperties } from '../terminal/properties.rules.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type ListenAddress, readAddress, readTopic } from './serve-flags.rules.ts'

export interface ServeFlags {
  readonly listen?: readonly ListenAddress[]
  readonly advertised?: ListenAddress
  readonly dir?: string
  readonly memory: boolean
  readonly threads: number | 'auto'
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
  return new Command('serve')
    .description(
      'Runs a broker. Prints one line with its address when it is ready; SIGTERM and SIGINT drain it and end with 0, a second signal ends it at once.',
    )
    .option(
      '--listen <host:port>',
      'where to listen; may be repeated (default: 127.0.0.1:9092)',
      severalFlag(checked(readAddress)),
    )
    .option('--advertised <host:port>', 'what clients are told, if it is not where it listens', checked(readAddress))
    .option('--dir <dir>', 'where the LMDB logs are (default: ./data)')
    .option('--memory', 'keep logs in memory only', false)
    .option('--threads <n>', "threads of leaders and clients; 'auto' goes by the cores", threadsFlag, 'auto')
    .option('--node-id <n>', "Kafka's node.id (default: 1)", integerFlag({ max: 2 ** 31 - 1 }))
    .option(
      '--topic <name:partitions>',
      'created if it does not exist; may be repeated',
      severalFlag(checked(readTopic)),
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

function threadsFlag(given: string): number | 'auto' {
  return given === 'auto' ? given : integerFlag({ max: 256 })(given)
}

/** A rule's complaint as commander's. */
function checked<T>(read: (given: string) => T): (given: string) => T {
  return given => {
    try {
      return read(given)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  }
}
