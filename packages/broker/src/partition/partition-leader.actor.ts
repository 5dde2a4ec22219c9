// The hands of a partition leader: opens its log, runs its machine, and gives each word of the contract to the part that serves it.
// Decides nothing itself: what may be appended, read and kept is in the rules, when in the machine.
import {
  type ActorContext,
  type ActorDescription,
  defineActor,
  type Handlers,
  type Peer,
} from '@odradek/shared/actor/actor'
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import {
  type AppendResponse,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
  type VerifyRequest,
  type VerifyResponse,
  type WriteMarkerRequest,
} from '@odradek/shared/contracts/partition-leader.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import type { LogStore, OpenedLog, PartitionLog } from '../log/partition-log.ts'
import { AdvancedNews } from './advanced-news.ts'
import { FetchDesk } from './fetch-desk.ts'
import { producerIn } from './group-commit.rules.ts'
import { GroupCommitter } from './group-committer.ts'
import { parseLeaderConfig } from './leader-config.rules.ts'
import { LeaderHousekeeping } from './leader-housekeeping.ts'
import { openLogStore } from './leader-storage.ts'
import { Leadership, logErrorCode } from './leadership.ts'
import { listOffsets, refusedOffsets } from './offset-lookup.ts'
import { partitionLeaderMachine } from './partition-leader.machine.ts'
import { describeProducer, hasOngoingTransaction } from './producer-state.rules.ts'
import { verificationAsked } from './verification.rules.ts'

type LeaderPeer = Peer<PartitionLeaderContract>

export const actor = defineActor<PartitionLeaderContract, PartitionLeaderInput>({
  kind: 'partition-leader',
  contract: partitionLeader,
  start(context, input) {
    const store = openLogStore(context, input.storage)
    const opened = context.gate.run(() => store.open(input))
    context.onEnd(() => opened.log.close({ clean: false }))
    context.gate.run(() => beginEpoch(opened.log, context, input))
    return new PartitionLeader(context, input, store, opened).handlers
  },
})

/** Writes down where a new leader epoch begins, before anything is appended in it (KIP-101). */
function beginEpoch(log: PartitionLog, { clock }: ActorContext, { leaderEpoch, configs }: PartitionLeaderInput): void {
  if (log.latestEpoch >= leaderEpoch) return
  const { logEndOffset, lastStableOffset } = log
  const epochStart = { epoch: leaderEpoch, startOffset: logEndOffset }
  const group = { batches: [], epochStart, highWatermark: logEndOffset, lastStableOffset, now: clock.now() }
  log.append(group, parseLeaderConfig(configs).log)
}

class PartitionLeader {
  readonly #context: ActorContext
  readonly #input: PartitionLeaderInput
  readonly #store: LogStore
  readonly #leadership: Leadership
  readonly #committer: GroupCommitter
  readonly #desk: FetchDesk
  readonly #news: AdvancedNews
  readonly #housekeeping: LeaderHousekeeping
  readonly #machine: MachineRun<typeof partitionLeaderMachine>
  /** Whose coordinator this partition's records are; null: nobody has claimed them. */
  #writer: LeaderPeer['id'] | null = null
  #leading = false
  #failing = false
  #ending = false

  constructor(context: ActorContext, input: PartitionLeaderInput, store: LogStore, { log, recovered }: OpenedLog) {
    this.#context = context
    this.#input = input
    this.#store = store
    this.#leadership = new Leadership(log, input.leaderEpoch, parseLeaderConfig(input.configs))
    this.#desk = new FetchDesk(this.#leadership, context)
    this.#news = new AdvancedNews(this.#leadership)
    this.#housekeeping = new LeaderHousekeeping(this.#leadership, context, reason => this.#endSoon(reason))
    this.#committer = new GroupCommitter(this.#leadership, context, {
      committed: bytes => this.#committed(bytes),
      failed: reason => this.#appendFailed(reason),
    })
    if (!recovered.clean && recovered.droppedBytes > 0) {
      context.log.warn(
        { ...recovered, topic: input.topic, partition: input.partition },
        'log recovered with a cut tail',
      )
    }
    this.#machine = runMachine(context, partitionLeaderMachine, {
      input: { leaderEpoch: input.leaderEpoch },
      effects: {
        startLeading: () => this.#startLeading(),
        stopLeading: () => this.#stopLeading(),
        reportFailure: ({ reason }) => context.log.error({ reason }, 'appends fail'),
        reportRecovery: () => context.log.info({}, 'appends succeed again'),
        closeLog: () => this.#closeLog(),
        deleteLog: () => this.#deleteLog(),
      },
    })
    this.#machine.send({ type: 'log.opened', latestEpoch: log.latestEpoch })
  }

  get handlers(): Handlers<PartitionLeaderContract> {
    return {
      ask: {
        append: (request, peer) =>
          this.#leading && !(request.origin === 'coordinator' && this.#isOutdone(peer))
            ? this.#committer.append(request)
            : NOT_LEADING_APPEND,
        fetch: (request, peer) =>
          this.#leading ? this.#desk.fetch(request, peer) : this.#desk.refusal('NOT_LEADER_OR_FOLLOWER'),
        listOffsets: request => this.#listOffsets(request),
        deleteRecords: request => this.#deleteRecords(request),
        offsetForLeaderEpoch: request => this.#offsetForLeaderEpoch(request),
        describeProducers: () => ({
          producers: [...this.#leadership.state.producers.values()].map(({ state }) => describeProducer(state)),
        }),
        writeMarker: (request, peer) => this.#writeMarker(request, peer),
        verify: request => this.#verify(request),
        describeLog: () => this.#describeLog(),
        claim: (_request, peer) => {
          this.#writer = peer.id
          return this.#describeLog()
        },
        configure: ({ configs }) => {
          this.#leadership.config = parseLeaderConfig(configs)
          if (this.#leading) this.#housekeeping.restart()
          return {}
        },
        flush: () => ({ errorCode: this.#leading ? this.#housekeeping.flush() : NOT_LEADER }),
        destroy: () => this.#destroy(),
      },
      tell: {
        watch: (_message, peer) => this.#news.watch(peer),
        unwatch: (_message, peer) => this.#news.unwatch(peer),
      },
      closed: peer => this.#peerClosed(peer),
      close: () => this.#close(),
      describe: () => this.#describe(),
    }
  }

  // --- what the machine asks for ------------------------------------------------------------------------------------------------

  #startLeading(): void {
    this.#leading = true
    this.#housekeeping.start()
  }

  #stopLeading(): void {
    this.#leading = false
    this.#housekeeping.stop()
    this.#committer.abandon('NOT_LEADER_OR_FOLLOWER')
    this.#desk.abandon('NOT_LEADER_OR_FOLLOWER')
  }

  #closeLog(): void {
    try {
      this.#context.gate.run(() => this.#leadership.log.close({ clean: true }))
    } catch (error) {
      logErrorCode(error)
      this.#context.log.error(
        { reason: (error as Error).message },
        'the log could not be closed clean; it will be recovered',
      )
    }
    this.#machine.send({ type: 'log.closed' })
  }

  #deleteLog(): void {
    try {
      this.#context.gate.run(() => {
        this.#leadership.log.close({ clean: false })
        this.#store.delete(this.#input)
      })
      this.#machine.send({ type: 'log.deleted' })
    } catch (error) {
      logErrorCode(error)
      this.#machine.send({ type: 'delete.failed', reason: (error as Error).message })
    }
  }

  // --- commits ------------------------------------------------------------------------------------------------------------------

  #committed(bytes: number): void {
    if (this.#failing) {
      this.#failing = false
      this.#machine.send({ type: 'append.succeeded' })
    }
    const { log, state } = this.#leadership
    this.#context.report('BytesIn', state.position)
    this.#context.report('LogEndOffset', state.logEndOffset)
    this.#context.report('Size', log.sizeInBytes)
    this.#housekeeping.appended()
    this.#desk.wake()
    this.#news.tell(bytes)
  }

  #appendFailed(reason: string): void {
    if (this.#leadership.log.hasFailed) this.#endSoon(reason)
    if (this.#failing) return
    this.#failing = true
    this.#machine.send({ type: 'append.failed', reason })
  }

  /** A log whose flush failed must be opened anew: the supervisor sees to that. Whoever asks until then is told why it fails. */
  #endSoon(reason: string): void {
    if (this.#ending) return
    this.#ending = true
    const { clock, fail } = this.#context
    clock.after(FAILED_FLUSH_MS, () => fail(new Error(`the log must be opened anew: ${reason}`)))
  }

  // --- the smaller words --------------------------------------------------------------------------------------------------------

  /** Another coordinator has claimed the log since: what comes from this one was sent before it died. */
  #isOutdone(peer: LeaderPeer): boolean {
    return this.#writer !== null && this.#writer !== peer.id
  }

  #writeMarker(request: WriteMarkerRequest, peer: LeaderPeer) {
    if (this.#leading && !this.#isOutdone(peer)) return this.#committer.writeMarker(request)
    return { errorCode: NOT_LEADER, offset: -1, logEndOffset: this.#leadership.log.logEndOffset }
  }

  #listOffsets(request: Parameters<typeof listOffsets>[2]) {
    const refusal = this.#refusal(request.currentLeaderEpoch)
    if (refusal !== null) return refusedOffsets(refusal)
    const { log } = this.#leadership
    const { gate, limits } = this.#context
    try {
      return gate.run(() => listOffsets(log, this.#leadership, request, limits.appendDecompressedBytesMax))
    } catch (error) {
      return { ...refusedOffsets('NONE'), errorCode: logErrorCode(error) }
    }
  }

  #deleteRecords({ offset }: DeleteRecordsRequest): DeleteRecordsResponse {
    const { log, config, highWatermark } = this.#leadership
    const refused = (error: ErrorName) => ({ errorCode: errors[error].code, lowWatermark: -1 })
    if (!this.#leading) return refused('NOT_LEADER_OR_FOLLOWER')
    if (!config.deleted) return refused('POLICY_VIOLATION')
    const to = offset === -1 ? highWatermark : offset
    if (to < 0 || to > highWatermark) return refused('OFFSET_OUT_OF_RANGE')
    try {
      if (to > log.logStartOffset) this.#context.gate.run(() => log.deleteRecordsTo(to))
      this.#housekeeping.retain()
    } catch (error) {
      return { errorCode: logErrorCode(error), lowWatermark: -1 }
    }
    return { errorCode: 0, lowWatermark: log.logStartOffset }
  }

  #offsetForLeaderEpoch(request: { readonly currentLeaderEpoch: number; readonly leaderEpoch: number }) {
    const refusal = this.#refusal(request.currentLeaderEpoch)
    if (refusal !== null) return { errorCode: errors[refusal].code, leaderEpoch: -1, endOffset: -1 }
    return { errorCode: 0, ...this.#leadership.log.offsetForLeaderEpoch(request.leaderEpoch) }
  }

  #verify(request: VerifyRequest): VerifyResponse {
    const { state, config } = this.#leadership
    const { producerId, producerEpoch } = request
    if (!this.#leading || !config.transactionVerificationEnabled) return { guard: null }
    // What the turn has gathered of this producer would void the guard at its commit: let that happen first.
    if (this.#committer.group.producers.has(producerId)) this.#committer.commit()
    if (hasOngoingTransaction(producerIn(state, this.#committer.group, producerId), producerEpoch))
      return { guard: null }
    const fresh = { token: Math.floor(this.#context.random.float() * 2 ** 53), now: this.#context.clock.now() }
    const pending = verificationAsked(state.verifications.get(producerId), request, fresh)
    state.verifications.set(producerId, pending)
    if (state.verifications.size > this.#context.limits.verificationsMax) {
      state.verifications.delete(state.verifications.keys().next().value!)
    }
    return { guard: { token: pending.token } }
  }

  #describeLog() {
    const { log, highWatermark, lastStableOffset, leaderEpoch } = this.#leadership
    const { sizeInBytes, logStartOffset, logEndOffset } = log
    const segments = log.segments().length
    return { sizeInBytes, logStartOffset, logEndOffset, highWatermark, lastStableOffset, leaderEpoch, segments }
  }

  #destroy() {
    this.#machine.send({ type: 'delete.requested' })
    return { errorCode: this.#machine.isDone ? 0 : errors.KAFKA_STORAGE_ERROR.code }
  }

  #peerClosed(peer: LeaderPeer): void {
    this.#desk.forget(peer.id)
    this.#news.unwatch(peer)
  }

  #close(): void {
    if (this.#leading) this.#committer.commit()
    if (!this.#machine.isDone) this.#machine.send({ type: 'close.requested' })
  }

  #refusal(currentLeaderEpoch: number): ErrorName | null {
    return this.#leading ? this.#leadership.epochRefusal(currentLeaderEpoch) : 'NOT_LEADER_OR_FOLLOWER'
  }

  #describe(): ActorDescription {
    const { limits } = this.#context
    const { highWatermark, lastStableOffset, state } = this.#leadership
    const { producers, ongoing, verifications } = state
    return {
      state: this.#machine.state,
      queues: [
        { name: 'staged appends', ...this.#committer.queue, max: limits.groupCommitEntriesMax },
        { name: 'parked fetches', ...this.#desk.queue, max: limits.parkedFetchesMax },
        { name: 'producers', size: producers.size, high: producers.size, max: limits.producerIdsMax },
        { name: 'verifications', size: verifications.size, high: verifications.size, max: limits.verificationsMax },
      ],
      detail: { highWatermark, lastStableOffset, openTransactions: ongoing.size, refusedEvents: this.#machine.refused },
    }
  }
}

/** How long a leader says that its log has failed before it ends. */
const FAILED_FLUSH_MS = 100

const NOT_LEADER = errors.NOT_LEADER_OR_FOLLOWER.code

const NOT_LEADING_APPEND: AppendResponse = {
  errorCode: NOT_LEADER,
  errorMessage: null,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  recordErrors: [],
}
