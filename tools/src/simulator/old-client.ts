// A client of before KIP-890 at a door of the simulated broker: adds partitions and offsets before it writes, keeps its epoch over many
// transactions, and repeats what may pass. Its appends are verified by the leaders. What it cannot be sure of ends in a new epoch.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { LinkHost } from '@odradek/shared/client/cluster-link'
import { answer, closeDoor, type Door, openDoor } from '@odradek/shared/client/port/door'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { LinkInput } from '@odradek/shared/contracts/link-input'
import { type ErrorName, errorOf, errors } from '@odradek/shared/protocol/error-codes'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'

/** The newest versions that know nothing of transaction.version 2. */
const versions = {
  Produce: 11,
  InitProducerId: 4,
  AddPartitionsToTxn: 3,
  AddOffsetsToTxn: 4,
  TxnOffsetCommit: 4,
  EndTxn: 4,
} as const
type OldApi = keyof typeof versions

const REQUEST_MS = 1_000
const RETRY_MS = 25
/** How long one question is repeated. */
const PATIENCE_MS = 10_000
const BATCH_BYTES_MAX = 1_000_000
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** What a broker refused, or did not answer in time: the transaction cannot go on. */
export class Refused extends Error {
  readonly error: ErrorName

  constructor(api: ApiName, error: ErrorName) {
    super(`${api}: ${error}`)
    this.error = error
  }
}

export interface OldClientOptions {
  readonly clientId: string
  readonly transactionalId: string
  readonly timeoutMs: number
}

/** Every method rejects with `Refused`. */
export class OldClient {
  readonly #host: LinkHost
  readonly #door: Door
  readonly #options: OldClientOptions
  #producer = { producerId: -1, producerEpoch: -1 }
  readonly #sequences = new Map<string, number>()

  constructor(host: LinkHost, broker: Extract<LinkInput, { kind: 'port' }>['broker'], options: OldClientOptions) {
    this.#host = host
    this.#door = openDoor(host, broker)
    this.#options = options
  }

  /** A new epoch: whoever had the id before is fenced, and what was open is aborted. */
  async init(): Promise<void> {
    const { transactionalId, timeoutMs: transactionTimeoutMs } = this.#options
    const nobody = { producerId: -1, producerEpoch: -1, enable2Pc: false, keepPreparedTxn: false }
    const request = { transactionalId, transactionTimeoutMs, ...nobody }
    const { producerId, producerEpoch } = await this.#ask('InitProducerId', request, ({ errorCode }) => errorCode)
    this.#producer = { producerId, producerEpoch }
    this.#sequences.clear()
  }

  async addPartition({ topic, partition }: TopicPartition): Promise<void> {
    const { transactionalId } = this.#options
    const topics = [{ name: topic, partitions: [partition] }]
    const transaction = { transactionalId, ...this.#producer, verifyOnly: false, topics }
    const request = {
      transactions: [transaction],
      v3AndBelowTransactionalId: '',
      v3AndBelowProducerId: 0,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [],
    }
    await this.#ask('AddPartitionsToTxn', request, ({ errorCode, resultsByTransaction }) => {
      const partition = resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0]
      return errorCode || (partition?.partitionErrorCode ?? 0)
    })
  }

  /** One record; resolves with its offset. */
  async produce({ topic, partition }: TopicPartition, key: string, value: string): Promise<bigint> {
    const line = nameOf({ topic, partition })
    const baseSequence = this.#sequences.get(line) ?? 0
    const { transactionalId } = this.#options
    const response = await this.#repeat('Produce', async () => {
      const builder = new BatchBuilder({ writeLimit: BATCH_BYTES_MAX })
      builder.tryAppend(this.#host.clock.now(), Buffer.from(key), Buffer.from(value))
      const records = builder.build({ ...this.#producer, baseSequence, transactional: true })
      const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }]
      const produced = await this.#answer('Produce', { transactionalId, acks: -1, timeoutMs: REQUEST_MS, topicData })
      const reply = produced.responses[0]!.partitionResponses[0]!
      return { errorCode: reply.errorCode, response: reply }
    })
    this.#sequences.set(line, baseSequence + 1)
    return BigInt(response.baseOffset)
  }

  async commitOffset(groupId: string, { topic, partition }: TopicPartition, offset: number): Promise<void> {
    const producer = { transactionalId: this.#options.transactionalId, ...this.#producer }
    await this.#ask('AddOffsetsToTxn', { ...producer, groupId }, ({ errorCode }) => errorCode)
    const place = { partitionIndex: partition, committedLeaderEpoch: -1, committedMetadata: '' }
    const topics = [{ name: topic, partitions: [{ ...place, committedOffset: offset }] }]
    const nobody = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
    const request = { ...producer, groupId, ...nobody, topics }
    await this.#ask('TxnOffsetCommit', request, ({ topics }) => topics[0]!.partitions[0]!.errorCode)
  }

  async end(committed: boolean): Promise<void> {
    const { transactionalId } = this.#options
    await this.#ask('EndTxn', { transactionalId, ...this.#producer, committed }, ({ errorCode }) => errorCode)
  }

  /** Without a word: what is on its way may still arrive. */
  die(): void {
    closeDoor(this.#door)
  }

  #ask<A extends OldApi>(
    api: A,
    request: ApiRequest<A>,
    errorCodeOf: (response: ApiResponse<A>) => number,
  ): Promise<ApiResponse<A>> {
    return this.#repeat(api, async () => {
      const response = await this.#answer(api, request)
      return { errorCode: errorCodeOf(response), response }
    })
  }

  async #repeat<R>(api: OldApi, attempt: () => Promise<{ errorCode: number; response: R }>): Promise<R> {
    const { clock } = this.#host
    const until = clock.monotonic() + PATIENCE_MS
    for (;;) {
      const { errorCode, response } = await attempt()
      if (errorCode === 0) return response
      const error = errorOf(errorCode)
      // What a broker says whose actor died while it was asked is no more final than what Kafka's clients try again.
      const mayPass = error.retriable || error === errors.UNKNOWN_SERVER_ERROR
      if (!mayPass || clock.monotonic() > until) throw new Refused(api, error.name)
      await new Promise<void>(resolve => void clock.after(RETRY_MS, resolve))
    }
  }

  #answer<A extends OldApi>(api: A, request: ApiRequest<A>): Promise<ApiResponse<A>> {
    const { clientId } = this.#options
    const caller = { apiVersion: versions[api], clientId, clientHost: '/127.0.0.1', deadlineMs: REQUEST_MS }
    return answer(this.#door, api, request, caller)
  }
}
