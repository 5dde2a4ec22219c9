// A group shard for tests of its rules: no log and no threads, a clock that is moved by hand, and verbs. Every decision is applied as the
// runner applies it; every record takes the way over its bytes, and `reload` builds the state from them alone.
import { assert } from '@odradek/shared/base/assert'
import { seededRandom } from '@odradek/shared/base/random'
import type { MemberRef } from '@odradek/shared/contracts/coordinator.contract'
import { type Effect, NO_TICKET, type Ticket } from '../runtime/effects.ts'
import { FakeClock } from '../runtime/fake-clock.suite.ts'
import type { Decision, EncodedRecord, RecordMeta } from '../runtime/shard.ts'
import { TimerTable } from '../runtime/timer-table.ts'
import { assertClassicGroupInvariants, type ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { groupRequests } from './group-requests.suite.ts'
import { type GroupSettings, groupSettings } from './group-settings.ts'
import { groupShard } from './group-shard.ts'
import type { GroupShard } from './group-words.ts'
import type { Groups } from './groups.ts'
import { TopicView } from './topic-view.ts'

type Words = GroupShard['words']
const NEWEST = 32_767
const requests: { readonly [word: string]: object } = groupRequests

/** What one asker got: nothing yet, or its reply. */
export interface Asking<R> {
  readonly ticket: Ticket
  reply: R | null
}

export interface WorldOptions {
  readonly settings?: Partial<GroupSettings>
  readonly topics?: { readonly [topic: string]: number }
  readonly groupConfigs?: { readonly [name: string]: string }
  readonly seed?: number
}

export class GroupWorld {
  readonly clock = new FakeClock()
  readonly topics = new TopicView(1)
  readonly settings: GroupSettings
  /** Everything that was ever written, with where it stands. */
  readonly log: { readonly record: EncodedRecord; readonly meta: RecordMeta }[] = []
  readonly news: MemberRef[] = []
  state: Groups
  readonly #shard
  readonly #timers: TimerTable
  readonly #askers = new Map<Ticket, Asking<any>>()
  readonly #random
  readonly #ends: { readonly at: number; readonly producerId: number; readonly result: 'COMMIT' | 'ABORT' }[] = []
  #tickets = 0

  constructor({ settings = {}, topics = {}, groupConfigs = {}, seed = 1 }: WorldOptions = {}) {
    this.settings = { ...groupSettings({}), initialRebalanceDelayMs: 0, ...settings }
    this.#random = seededRandom(seed)
    this.#timers = new TimerTable(this.clock)
    this.#shard = groupShard({ settings: this.settings, topics: this.topics, groupConfigs: () => groupConfigs })
    for (const [topic, partitions] of Object.entries(topics)) this.createTopic(topic, partitions)
    this.state = this.#shard.initial()
    this.#arm(this.#shard.onLoaded!(this.state, this.#context(NO_TICKET)))
  }

  /** Asks; the reply is there at once or comes with a later decision. */
  ask<N extends keyof Words>(word: N, request: Words[N]['request']): Asking<Words[N]['reply']> {
    const asking: Asking<Words[N]['reply']> = { ticket: ++this.#tickets as Ticket, reply: null }
    this.#askers.set(asking.ticket, asking)
    const context = this.#context(asking.ticket)
    const handler = this.#shard.handlers[word] as any
    if (handler.kind === 'read') asking.reply = handler.read(this.state, request, context)
    else this.#apply(handler.decide(this.state, request, context), asking)
    return asking
  }

  /** Asks one of Kafka's requests, by its newest version unless said otherwise. */
  request<N extends keyof Words>(
    word: N,
    request: Words[N]['request'] extends { request: infer R } ? Partial<R> : never,
    { apiVersion = NEWEST, clientId = 'client', clientHost = '/127.0.0.1' } = {},
  ): Asking<Words[N]['reply']> {
    const asked = { request: { ...requests[word as string], ...(request as object) }, apiVersion, clientId, clientHost }
    return this.ask(word, asked as Words[N]['request'])
  }

  /** What was asked must be answered by now. */
  answer<R>(asking: Asking<R>): R {
    assert(asking.reply !== null, 'the asker was answered')
    return asking.reply
  }

  advance(ms: number): void {
    this.clock.advance(ms)
  }

  createTopic(topic: string, partitions: number): void {
    this.topics.take({ isWhole: false, topics: [{ topic, topicId: this.topicId(topic), partitions }], gone: [] })
    if (this.state) this.ask('topicsChanged', {})
  }

  topicId(topic: string): string {
    return Buffer.from(topic.padEnd(16, '.')).toString('base64url')
  }

  deleteTopic(topic: string): void {
    this.topics.take({ isWhole: false, topics: [], gone: [{ topic, topicId: this.topicId(topic) }] })
    this.ask('topicsDeleted', { topics: [topic] })
  }

  endTransaction(producerId: number, result: 'COMMIT' | 'ABORT'): void {
    this.#ends.push({ at: this.log.length, producerId, result })
    this.#shard.replayEndTransactionMarker!(this.state, { producerId, producerEpoch: 0, result })
  }

  /** The coordinator dies and another loads the log: what was not logged is gone, and who waited gets no answer. */
  reload(): void {
    this.#timers.clear()
    this.#askers.clear()
    this.state = this.replayed()
    this.#arm(this.#shard.onLoaded!(this.state, this.#context(NO_TICKET)))
  }

  /** The state as the log alone says it. */
  replayed(): Groups {
    const state = this.#shard.initial()
    const ends = [...this.#ends]
    for (let at = 0; at <= this.log.length; at++) {
      while (ends[0]?.at === at) {
        const { producerId, result } = ends.shift()!
        this.#shard.replayEndTransactionMarker!(state, { producerId, producerEpoch: 0, result })
      }
      const entry = this.log[at]
      if (entry) this.#shard.replay(state, this.#decoded(entry.record), entry.meta)
    }
    return state
  }

  classic(groupId: string): ClassicGroup {
    const group = this.state.groups.get(groupId)
    assert(group?.type === 'classic', `${groupId} is a classic group`)
    return group
  }

  consumer(groupId: string): ConsumerGroup {
    const group = this.state.groups.get(groupId)
    assert(group?.type === 'consumer', `${groupId} is a consumer group`)
    return group
  }

  get armed(): number {
    return this.#timers.size
  }

  #context(ticket: Ticket) {
    return { now: this.clock.now(), random: this.#random, ticket }
  }

  #decoded({ key, value }: EncodedRecord) {
    const record = this.#shard.decodeRecord(key, value)
    assert(record !== null, 'what was written is understood')
    return record
  }

  #apply(decision: Decision<GroupShard>, asking: Asking<any> | null): void {
    const { records = [], transaction, soft = [] } = decision
    for (const record of records) {
      const encoded = this.#shard.encodeRecord(record)
      const meta = {
        offset: this.log.length,
        timestamp: this.clock.now(),
        transactional: transaction !== undefined,
        producerId: transaction?.producerId ?? -1,
        producerEpoch: transaction?.producerEpoch ?? -1,
      }
      this.log.push({ record: encoded, meta })
      this.#shard.replay(this.state, this.#decoded(encoded), meta)
    }
    for (const change of soft) this.#shard.applySoft!(this.state, change)
    const more = decision.after?.(this.state)
    this.#arm(decision)
    if (more) this.#arm(more)
    for (const outcome of [decision, more])
      if (outcome && 'reply' in outcome && asking) this.#reply(asking, outcome.reply)
    this.#assertInvariants(soft.map(({ group }) => group.groupId))
  }

  /** Of what was changed; a crowd of thousands is looked at whenever another hundred has come or gone. */
  #assertInvariants(groupIds: readonly string[]): void {
    for (const groupId of groupIds) {
      const group = this.state.groups.get(groupId)
      if (group?.type !== 'classic') continue
      if (group.members.size < 500 || group.members.size % 100 === 0) assertClassicGroupInvariants(group)
    }
  }

  #reply(asking: Asking<any>, reply: unknown): void {
    assert(asking.reply === null, 'nobody is answered twice')
    asking.reply = reply
    this.#askers.delete(asking.ticket)
  }

  #arm({ effects = [] }: { readonly effects?: readonly Effect<GroupShard>[] }): void {
    for (const effect of effects) {
      if (effect.kind === 'armTimer') {
        const { key, delayMs, name, request, unlessArmed } = effect
        if (unlessArmed && this.#timers.isArmed(key)) continue
        this.#timers.arm(key, delayMs, () => void this.ask(name, request as never))
      } else if (effect.kind === 'cancelTimer') this.#timers.cancel(effect.key)
      else if (effect.kind === 'notify' && effect.notice.kind === 'rebalance') {
        const { groupId, memberId } = effect.notice
        this.news.push({ groupId, memberId })
      } else if (effect.kind === 'reply') {
        const asking = this.#askers.get(effect.ticket)
        if (asking) this.#reply(asking, effect.reply)
      }
    }
  }
}
