// Every state machine of the house, by the name that `odradek actor graph` takes and the README sections carry. A test holds this list against the files.

/** What is read of a machine: XState's tree of states. */
export interface DefinedMachine {
  readonly root: StateNode
}

/** One state of XState's tree, as far as it is drawn. */
export interface StateNode {
  readonly id: string
  readonly key: string
  readonly type: string
  readonly initial?: { readonly target: readonly unknown[] } | undefined
  readonly states: { readonly [key: string]: StateNode }
  /** By event. */
  readonly transitions: ReadonlyMap<string, readonly TransitionDefinition[]>
  /** Taken without an event. */
  readonly always?: readonly TransitionDefinition[] | undefined
  readonly entry: readonly ActionDefinition[]
  readonly exit: readonly ActionDefinition[]
  readonly tags: readonly string[]
}

export type ActionDefinition = string | { readonly type: string } | ((...args: never[]) => unknown)

export interface TransitionDefinition {
  readonly eventType: string
  readonly target?: readonly { readonly id: string }[] | undefined
  readonly guard?: unknown
  readonly actions: readonly ActionDefinition[]
}

export interface NamedMachine {
  readonly name: string
  /** Folder of its package: where its README is. */
  readonly home: string
  /** Below the home's `src`, without `.machine.ts`. */
  readonly file: string
  load(): Promise<DefinedMachine>
}

/** Structure only: a machine's own types say more than is drawn. */
const defined = (machine: unknown) => machine as DefinedMachine

export const machines: readonly NamedMachine[] = [
  {
    name: 'supervisor',
    home: 'packages/shared',
    file: 'actor/supervisor',
    load: async () => defined((await import('@odradek/shared/actor/supervisor.machine')).supervisorMachine),
  },
  {
    name: 'wire-connection',
    home: 'packages/shared',
    file: 'client/wire/connection',
    load: async () => defined((await import('@odradek/shared/client/wire/connection.machine')).connectionMachine),
  },
  {
    name: 'shard',
    home: 'packages/coordinator',
    file: 'runtime/shard',
    load: async () => defined((await import('@odradek/coordinator/runtime/shard.machine')).shardMachine),
  },
  {
    name: 'classic-group',
    home: 'packages/coordinator',
    file: 'group/classic-group',
    load: async () => defined((await import('@odradek/coordinator/group/classic-group.machine')).classicGroupMachine),
  },
  {
    name: 'transaction',
    home: 'packages/coordinator',
    file: 'transaction/transaction',
    load: async () =>
      defined((await import('@odradek/coordinator/transaction/transaction.machine')).transactionMachine),
  },
  {
    name: 'broker',
    home: 'packages/broker',
    file: 'broker',
    load: async () => defined((await import('@odradek/broker/broker.machine')).brokerMachine),
  },
  {
    name: 'partition-leader',
    home: 'packages/broker',
    file: 'partition/partition-leader',
    load: async () =>
      defined((await import('@odradek/broker/partition/partition-leader.machine')).partitionLeaderMachine),
  },
  {
    name: 'listener-connection',
    home: 'packages/broker',
    file: 'wire/connection',
    load: async () => defined((await import('@odradek/broker/wire/connection.machine')).connectionMachine),
  },
  {
    name: 'sender',
    home: 'packages/producer',
    file: 'sender',
    load: async () => defined((await import('@odradek/producer/sender.machine')).senderMachine),
  },
  {
    name: 'producer-transaction',
    home: 'packages/producer',
    file: 'producer-transaction',
    load: async () =>
      defined((await import('@odradek/producer/producer-transaction.machine')).producerTransactionMachine),
  },
  {
    name: 'consumer',
    home: 'packages/consumer',
    file: 'consumer',
    load: async () => defined((await import('@odradek/consumer/consumer.machine')).consumerMachine),
  },
  {
    name: 'classic-membership',
    home: 'packages/consumer',
    file: 'classic-membership',
    load: async () => defined((await import('@odradek/consumer/classic-membership.machine')).classicMembershipMachine),
  },
  {
    name: 'consumer-membership',
    home: 'packages/consumer',
    file: 'consumer-membership',
    load: async () =>
      defined((await import('@odradek/consumer/consumer-membership.machine')).consumerMembershipMachine),
  },
  {
    name: 'pipeline',
    home: 'tools',
    file: 'pipeline/pipeline',
    load: async () => defined((await import('../pipeline/pipeline.machine.ts')).pipelineMachine),
  },
]
