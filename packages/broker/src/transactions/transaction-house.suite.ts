// A whole broker in the simulated world, asked through a door as transactional clients do: real coordinators and leaders, memory logs.
import { transactionCoordinator } from '@odradek/coordinator/transaction/transaction-coordinator.actor'
import type { transactionShard } from '@odradek/coordinator/transaction/transaction-shard'
import { type SimulatedWorld, type SimulationOptions, simulate } from '@odradek/shared/actor/simulated-host'
import { limits } from '@odradek/shared/base/limits'
import type { LinkHost } from '@odradek/shared/client/cluster-link'
import { answer, closeDoor, type Door, openDoor } from '@odradek/shared/client/port/door'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { CoordinatorKind } from '@odradek/shared/contracts/broker.contract'
import { type ErrorName, errorOf, errors } from '@odradek/shared/protocol/error-codes'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { brokerModule, coordinatorModules, leaderModule } from '../cluster/modules.ts'
import type { actor as leader } from '../partition/partition-leader.actor.ts'
import { VisibleReader } from './visible-reader.suite.ts'

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1

/** What clients of transaction.version 1 (Kafka before 4.0) and 2 speak. */
const versions = {
  1: { Produce: 9, InitProducerId: 4, AddPartitionsToTxn: 3, AddOffsetsToTxn: 3, TxnOffsetCommit: 3, EndTxn: 3 },
  2: { Produce: 13, InitProducerId: 5, AddPartitionsToTxn: 5, AddOffsetsToTxn: 4, TxnOffsetCommit: 5, EndTxn: 5 },
} as const
export type ClientVersion = keyof typeof versions

export interface ProducerNow {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface HouseOptions extends Partial<SimulationOptions> {
  readonly configs?: { readonly [name: string]: string }
  /** In place of the coordinator's own rules. */
  readonly shardOf?: typeof transactionShard
  /** In place of the product's leader. */
  readonly leader?: typeof leader
}

/** Topics of the house, and their partitions. */
const topics = [
  { name: 'orders', partitions: 3 },
  { name: 'wide', partitions: 50 },
]

export class TransactionHouse {
  readonly world: SimulatedWorld
  readonly door: Door

  private constructor(world: SimulatedWorld, door: Door) {
    this.world = world
    this.door = door
  }

  /** Runs `story` in a world with a broker, and closes both. */
  static async tell(
    story: (house: TransactionHouse) => Promise<void>,
    { configs = {}, shardOf, leader, ...options }: HouseOptions = {},
  ): Promise<void> {
    const world = simulate({ seed: 7, ...options })
    if (shardOf !== undefined) world.use(coordinatorModules.transaction, transactionCoordinator(shardOf))
    if (leader !== undefined) world.use(leaderModule, leader)
    const { faults } = world
    world.faults = { ...faults, close: 0, actorDeath: 0, laneDeath: 0 }
    await world.run(
      async () => {
        const storage = { kind: 'memory', store: 'disk' } as const
        const staticConfigs = {
          'transaction.state.log.num.partitions': '3',
          'offsets.topic.num.partitions': '2',
          'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
          ...configs,
        }
        const input = { nodeId: 1, clusterId: 'c', rack: null, storage, staticConfigs, topics }
        const broker = await world.spawn(brokerModule, input, { name: 'broker' })
        const log = { debug() {}, info() {}, warn() {}, error() {} }
        const { clock, random } = world
        const host: LinkHost = {
          clock,
          random,
          log,
          limits,
          link: (contract, address) => world.link(contract, address),
        }
        const door = openDoor(host, broker.address)
        world.faults = { ...faults, spare: [broker.address.lane] }
        await story(new TransactionHouse(world, door))
        world.faults = { ...faults, close: 0, actorDeath: 0, laneDeath: 0 }
        closeDoor(door)
        await broker.close()
      },
      { withinMs: 24 * 3_600_000 },
    )
  }

  ask<A extends ApiName>(api: A, request: ApiRequest<A>, apiVersion = 32_767): Promise<ApiResponse<A>> {
    const caller = { deadlineMs: 10_000, clientId: 'test', clientHost: '/in-process', apiVersion }
    return answer(this.door, api, request, caller)
  }

  /** Lets virtual time pass. */
  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.world.clock.after(ms, resolve))
  }

  async init(
    transactionalId: string,
    { version = 2 as ClientVersion, timeoutMs = 60_000, expected = null as ProducerNow | null } = {},
  ): Promise<ProducerNow & { error: ErrorName }> {
    const { producerId, producerEpoch } = expected ?? { producerId: -1, producerEpoch: -1 }
    const request = { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch }
    const response = await this.ask(
      'InitProducerId',
      { ...request, enable2Pc: false, keepPreparedTxn: false },
      versions[version].InitProducerId,
    )
    return {
      error: errorOf(response.errorCode).name,
      producerId: response.producerId,
      producerEpoch: response.producerEpoch,
    }
  }

  async add(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerNow,
    partitions: readonly number[],
    topic = 'orders',
  ): Promise<ErrorName> {
    const added = [{ name: topic, partitions: [...partitions] }]
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics: added }
    const request = {
      transactions: [transaction],
      v3AndBelowTransactionalId: '',
      v3AndBelowProducerId: 0,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [],
    }
    const { resultsByTransaction } = await this.ask('AddPartitionsToTxn', request, versions[1].AddPartitionsToTxn)
    return errorOf(resultsByTransaction[0]!.topicResults[0]!.resultsByPartition[0]!.partitionErrorCode).name
  }

  async produce(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerNow,
    batch: { partition: number; baseSequence: number; value: string; topic?: string },
    version: ClientVersion = 2,
  ): Promise<ErrorName> {
    const { partition, baseSequence, value, topic = 'orders' } = batch
    const builder = new BatchBuilder({ writeLimit: 1_000_000 })
    builder.tryAppend(this.world.clock.now(), null, Buffer.from(value))
    const records = builder.build({ producerId, producerEpoch, baseSequence, transactional: true })
    const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }]
    const request = { transactionalId, acks: -1, timeoutMs: 1_000, topicData }
    const { responses } = await this.ask('Produce', request, versions[version].Produce)
    return errorOf(responses[0]!.partitionResponses[0]!.errorCode).name
  }

  async commitOffset(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerNow,
    offset: number,
    { version = 2 as ClientVersion, groupId = transactionalId } = {},
  ): Promise<ErrorName> {
    if (version === 1) {
      const request = { transactionalId, producerId, producerEpoch, groupId }
      const { errorCode } = await this.ask('AddOffsetsToTxn', request, versions[1].AddOffsetsToTxn)
      if (errorCode !== 0) return errorOf(errorCode).name
    }
    const partition = { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' }
    const request = {
      ...{ transactionalId, groupId, producerId, producerEpoch },
      ...{ generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
      topics: [{ name: 'orders', partitions: [partition] }],
    }
    const { topics } = await this.ask('TxnOffsetCommit', request, versions[version].TxnOffsetCommit)
    return errorOf(topics[0]!.partitions[0]!.errorCode).name
  }

  async end(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerNow,
    committed: boolean,
    version: ClientVersion = 2,
  ): Promise<ProducerNow & { error: ErrorName }> {
    const request = { transactionalId, producerId, producerEpoch, committed }
    const response = await this.ask('EndTxn', request, versions[version].EndTxn)
    return {
      error: errorOf(response.errorCode).name,
      producerId: response.producerId,
      producerEpoch: response.producerEpoch,
    }
  }

  async describe(transactionalId: string) {
    const { transactionStates } = await this.ask('DescribeTransactions', { transactionalIds: [transactionalId] })
    const { transactionState, errorCode, producerEpoch, topics } = transactionStates[0]!
    return errorCode === 0 ? { state: transactionState, producerEpoch, topics } : errorOf(errorCode).name
  }

  /** The group's committed offset, -1 without one; `UNSTABLE_OFFSET_COMMIT` while one is staged. */
  async committedOffset(groupId: string): Promise<number | ErrorName> {
    const topics = [{ name: 'orders', topicId: ZERO_UUID, partitionIndexes: [0] }]
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
    const response = await this.ask('OffsetFetch', { groupId: '', topics: [], groups, requireStable: true })
    const group = response.groups[0]!
    if (group.errorCode !== 0) return errorOf(group.errorCode).name
    const { errorCode, committedOffset } = group.topics[0]!.partitions[0]!
    return errorCode === 0 ? committedOffset : errorOf(errorCode).name
  }

  /** What a read_committed consumer sees of a partition, and whether something behind the last stable offset is hidden from it. */
  async readCommitted(partition: number, topic = 'orders'): Promise<{ values: string[]; hidden: number }> {
    const reader = new VisibleReader()
    for (;;) {
      const { errorCode, records, highWatermark, lastStableOffset, abortedTransactions } = await this.#fetch(
        topic,
        partition,
        reader.nextOffset,
      )
      if (errorCode !== 0) await this.sleep(20)
      else if (records !== null && records.byteLength > 0) reader.take(records, abortedTransactions ?? [])
      else return { values: reader.values, hidden: highWatermark - lastStableOffset }
    }
  }

  /** Everything that a partition's log holds. */
  async read(topic: string, partition: number): Promise<Uint8Array> {
    return (await this.#fetch(topic, partition, 0, READ_UNCOMMITTED)).records ?? new Uint8Array(0)
  }

  async #fetch(topic: string, partition: number, fetchOffset: number, isolationLevel = READ_COMMITTED) {
    const asked = {
      ...{ partition, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, logStartOffset: -1 },
      ...{ partitionMaxBytes: 1_000_000, replicaDirectoryId: ZERO_UUID, highWatermark: -1 },
    }
    const request = {
      ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1 } },
      ...{ maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, isolationLevel },
      ...{ sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '' },
      topics: [{ topic, topicId: ZERO_UUID, partitions: [asked] }],
    }
    const { responses } = await this.ask('Fetch', request)
    return responses[0]!.partitions[0]!
  }

  /** Ends an actor by name as if it had crashed, if it runs. */
  async kill(name: string): Promise<void> {
    const listed = (await this.world.actors()).find(({ address }) => address.name === name)
    if (listed !== undefined) this.world.kill(listed.address)
  }

  /** The coordinators that run now. */
  async coordinators(kind: CoordinatorKind = 'transaction'): Promise<string[]> {
    const listed = await this.world.actors()
    return listed.map(({ address }) => address.name).filter(name => name.startsWith(`${kind}-coordinator`))
  }

  async killCoordinators(kind: CoordinatorKind = 'transaction'): Promise<void> {
    for (const name of await this.coordinators(kind)) await this.kill(name)
  }
}

/** Asks again what was refused for a reason that passes, as clients do. */
export async function patiently<R>(
  house: TransactionHouse,
  ask: () => Promise<R>,
  errorIn: (reply: R) => ErrorName,
): Promise<R> {
  for (let attempt = 0; ; attempt++) {
    const reply = await ask()
    const error = errors[errorIn(reply)]
    // What a broker says whose actor died while it was asked is no more final than what Kafka's clients try again.
    const mayPass = error.retriable || error === errors.UNKNOWN_SERVER_ERROR
    if (!mayPass || attempt > 400) return reply
    await house.sleep(25)
  }
}
