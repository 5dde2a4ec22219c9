// `-b` and what a secured cluster needs, for every command that talks to one: Kafka's client properties, by file or one by one.
import { readFileSync } from 'node:fs'
import { readServers } from '@odradek/shared/client/common-options'
import type { Command } from 'commander'
import { usageError } from '../command-error.ts'
import { pairFlag, severalFlag } from './flags.ts'
import { clientOptionsOf, readProperties } from './properties.rules.ts'

export interface ClusterFlags {
  readonly bootstrapServer?: string
  readonly commandConfig?: string
  readonly property?: readonly (readonly [string, string])[]
}

const DEFAULT_SERVER = '127.0.0.1:9092'
/** A person waits: an address that refuses is told soon, though not so soon that a broker that is just starting is missed. Milliseconds. */
const BOOTSTRAP_TIMEOUT_MS = 3_000

/** Adds `-b`, `--command-config` and `-X`. */
export function clusterOptions(command: Command): Command {
  return command
    .option(
      '-b, --bootstrap-server <host:port,...>',
      `the cluster (default: $KAFKA_BOOTSTRAP_SERVERS, or ${DEFAULT_SERVER})`,
    )
    .option('--command-config <file>', 'Kafka client properties, such as security.protocol')
    .option('-X, --property <name=value>', 'one Kafka client property; may be repeated', severalFlag(pairFlag))
}

/** Client options for `createProducer` and the like. Throws a usage error for properties that cannot be used. */
export function clientOptions(flags: ClusterFlags): {
  readonly bootstrapServers: string
  readonly [option: string]: unknown
} {
  const bootstrapServers = serversOf(flags)
  const properties = flags.commandConfig === undefined ? {} : readFile(flags.commandConfig)
  try {
    return {
      bootstrapTimeoutMs: BOOTSTRAP_TIMEOUT_MS,
      ...clientOptionsOf({ ...properties, ...Object.fromEntries(flags.property ?? []) }, readFileSync),
      bootstrapServers,
    }
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

function serversOf({ bootstrapServer }: ClusterFlags): string {
  const given = bootstrapServer ?? process.env.KAFKA_BOOTSTRAP_SERVERS ?? DEFAULT_SERVER
  if (readServers(given) !== undefined) return given
  const whose = bootstrapServer === undefined ? 'KAFKA_BOOTSTRAP_SERVERS' : '--bootstrap-server'
  throw usageError(`${whose} takes host:port,... such as ${DEFAULT_SERVER}, got '${given}'`)
}

function readFile(path: string): { readonly [name: string]: string } {
  try {
    return readProperties(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usageError(`--command-config ${path} cannot be read: ${(error as Error).message}`)
  }
}
