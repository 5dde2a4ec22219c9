// The commands that `odradek` has: name, summary, and where the code is. Code is loaded when its command is used, so that `odradek --help` is fast.
import type { Command } from 'commander'
import type { Terminal } from './terminal/terminal.ts'

export interface Noun {
  readonly name: string
  readonly summary: string
  /** Makes the command with its subcommands. */
  load(terminal: Terminal): Promise<Command>
}

export const nouns: readonly Noun[] = [
  {
    name: 'serve',
    summary: 'run a broker that any Kafka client can use',
    load: async terminal => (await import('./serve/serve-command.ts')).serveCommand(terminal),
  },
  {
    name: 'tour',
    summary: 'the main job on real data: a broker, a producer, a consumer, then what happened',
    load: async terminal => (await import('../tour/tour-command.ts')).tourCommand(terminal),
  },
  {
    name: 'topic',
    summary: 'list, describe, create, delete, alter, produce, consume, offsets, trim',
    load: async terminal => (await import('./topic/topic-command.ts')).topicCommand(terminal),
  },
  {
    name: 'group',
    summary: 'list, describe, reset and delete consumer groups',
    load: async terminal => (await import('./group/group-command.ts')).groupCommand(terminal),
  },
  {
    name: 'txn',
    summary: 'list, describe, find-hanging and abort transactions',
    load: async terminal => (await import('./txn/txn-command.ts')).txnCommand(terminal),
  },
  {
    name: 'config',
    summary: 'describe, set and unset configs of topics and brokers',
    load: async terminal => (await import('./config/config-command.ts')).configCommand(terminal),
  },
  {
    name: 'cluster',
    summary: 'info, api-versions, health',
    load: async terminal => (await import('./cluster/cluster-command.ts')).clusterCommand(terminal),
  },
  {
    name: 'log',
    summary: 'dump, verify and measure partition logs without a broker',
    load: async terminal => (await import('./log/log-command.ts')).logCommand(terminal),
  },
  {
    name: 'actor',
    summary: 'list actors, watch and draw their state machines',
    load: async terminal => (await import('./actor/actor-command.ts')).actorCommand(terminal),
  },
  {
    name: 'load',
    summary: 'drive a broker or any Kafka cluster over all cores, and measure honestly',
    load: async terminal => (await import('../load/load-command.ts')).loadCommand(terminal),
  },
  {
    name: 'simulate',
    summary: 'clusters and clients under a virtual clock with faults from a seed, and a checker of what clients saw',
    load: async terminal => (await import('../simulator/simulate-command.ts')).simulateCommand(terminal),
  },
]
