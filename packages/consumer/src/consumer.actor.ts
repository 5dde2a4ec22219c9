// The consumer's own thread: fetches ahead of the caller, is the member of the group, commits. Wires contract -> consumer.machine -> fetcher,
// membership and commits; what they decide is in their rules.
import { type ActorContext, defineActor, type Handlers, type Peer } from '@odradek/shared/actor/actor'
import { runMachine } from '@odradek/shared/actor/machine-runner'
import type { ErrorData } from '@odradek/shared/base/errors'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import { openClusterLink } from '@odradek/shared/client/open-link'
import {
  type CommittedOffset,
  type ConsumerContract,
  type ConsumerInput,
  consumer,
  type GroupInput,
  type PartitionState,
} from '@odradek/shared/contracts/consumer.contract'
import { errorOf, errors } from '@odradek/shared/protocol/error-codes'
import { AssignmentDesk } from './assignment-desk.ts'
import { AutoCommit } from './auto-commit.ts'
import { CallerAssignors } from './caller-assignors.ts'
import { type ConsumerEvent, consumerMachine } from './consumer.machine.ts'
import { errorData, portError } from './consumer-errors.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import { Fetcher } from './fetcher.ts'
import type { Membership } from './membership.ts'
import { MetadataKeeper } from './metadata-keeper.ts'
import { OffsetCommits } from './offset-commits.ts'
import { listOffsets, partitionsFor } from './offset-queries.ts'
import { openMembership } from './open-membership.ts'
import { saysAbsent } from './positions.rules.ts'

export const actor = defineActor<ConsumerContract, ConsumerInput>({
  kind: 'consumer',
  contract: consumer,
  start: async (context, input) => startConsumer(context, input, await openClusterLink(context, input.link)),
})

/** The consumer over a given link; the actor opens the one that its input names. */
export function startConsumer(
  context: ActorContext,
  input: ConsumerInput,
  link: ClusterLink,
): Handlers<ConsumerContract> {
  return new ConsumerHands(context, input, link).handlers()
}

class ConsumerHands {
  readonly #context: ActorContext
  readonly #input: ConsumerInput
  readonly #link: ClusterLink
  readonly #fetcher: Fetcher
  readonly #metadata: MetadataKeeper
  readonly #commits: OffsetCommits
  readonly #desk: AssignmentDesk
  readonly #assignors: CallerAssignors
  readonly #autoCommit: AutoCommit
  readonly #membership: Membership | null
  readonly #machine
  #caller: Peer<ConsumerContract> | null = null
  /** The commit of what went last is answered, and the caller was told: whoever leaves waits for it. */
  #lastWord: Promise<unknown> = Promise.resolve()
  /** Subscribed topics that do not exist, as the log was told. */
  #absent: ReadonlySet<string> = new Set()

  constructor(context: ActorContext, input: ConsumerInput, link: ClusterLink) {
    this.#context = context
    this.#input = input
    this.#link = link
    const { clock, random, signal } = context
    const base = { clock, random, signal, link, input }
    const metadata = () => this.#membership?.metadata() ?? manualMetadata(input)
    this.#metadata = new MetadataKeeper(
      base,
      link,
      input,
      () => this.#topics(),
      () => this.#metadataChanged(),
      error => this.#tellFailure(null, error),
    )
    this.#commits = new OffsetCommits({
      ...base,
      metadata,
      needsMember: () => this.#machine.state === 'Subscribed',
      fenced: error => this.#membership?.fenced(error),
    })
    this.#fetcher = new Fetcher({
      ...base,
      wantMetadata: () => this.#metadata.want(),
      committed: partitions => this.#commits.committed(partitions, input.defaultApiTimeoutMs),
      deliver: deliveries => this.#caller?.news('deliveries', { deliveries }) ?? false,
      fail: (key, error) => this.#tellFailure(key, error),
      troubled: ({ topic, partition }, errorCode) => this.#noteTrouble({ topic, partition }, errorCode),
    })
    this.#desk = new AssignmentDesk(this.#fetcher, change => this.#caller?.news('rebalance', change) ?? false)
    this.#assignors = new CallerAssignors(question => this.#caller?.news('assignorCalled', question) ?? false)
    this.#autoCommit = new AutoCommit({
      clock,
      commits: this.#commits,
      partitionOf: key => this.#fetcher.get(key),
      intervalMs: input.group?.autoCommitIntervalMs ?? null,
      deadlineMs: input.defaultApiTimeoutMs,
      maxPollIntervalMs: input.group?.maxPollIntervalMs ?? null,
      isOwed: () => this.#fetcher.isOwed,
      pollExpired: () => this.#membership?.pollExpired(),
      committed: (offsets, error) => {
        if (error !== null) context.log.warn({ code: error.code }, `automatic commit: ${error.message}`)
        this.#caller?.news('autoCommitted', { offsets, error })
      },
    })
    this.#membership = input.group === null ? null : this.#openMembership(input.group)
    this.#machine = runMachine(context, consumerMachine, {
      effects: {
        replaceAssignment: ({ partitions }) => this.#desk.replace(partitions),
        subscribe: ({ subscription }) => this.#membership!.subscribe(subscription),
        finish: () => this.#finish(),
      },
    })
    link.onMetadata(() => this.#metadataChanged())
    if (input.group !== null && isInProcess(input)) this.#findCoordinator(input.group)
  }

  handlers(): Handlers<ConsumerContract> {
    return {
      opened: peer => {
        this.#caller ??= peer
      },
      closed: peer => {
        if (this.#caller !== peer) return
        this.#caller = null
        this.#assignors.close()
      },
      ask: {
        assign: ({ partitions }) => {
          this.#send('assignable', { type: 'partitions.assigned', partitions })
          if (partitions.length > 0) this.#metadata.want()
          return { assigned: this.#desk.assigned() }
        },
        subscribe: subscription => {
          if (this.#membership === null)
            throw portError(errorData('ODK_GROUP_MISSING', 'subscribing needs the option groupId'))
          this.#send('subscribable', { type: 'topics.subscribed', subscription })
          return {}
        },
        unsubscribe: async () => {
          if (this.#machine.state === 'Subscribed') await this.#membership!.leave()
          await this.#lastWord
          this.#machine.send({ type: 'unsubscribed' })
          return {}
        },
        position: async ({ key }) => {
          const partition = await this.#fetcher.located(key)
          if (partition?.failure) throw portError(partition.failure)
          return stateOf(partition)
        },
        partitionState: ({ key }) => stateOf(this.#fetcher.get(key)),
        listOffsets: request => listOffsets(this.#queryHost(), request),
        partitionsFor: ({ topic }) => partitionsFor(this.#queryHost(), topic),
        commit: async ({ offsets }) => {
          this.#needGroup('committing')
          const beginning = this.#fetcher.committing(offsets)
          try {
            await this.#commits.commit(offsets, this.#input.defaultApiTimeoutMs)
          } finally {
            this.#fetcher.beginAgain(beginning)
          }
          return {}
        },
        committed: async ({ partitions }) => {
          this.#needGroup('committed offsets')
          return { offsets: await this.#commits.committed(partitions, this.#input.defaultApiTimeoutMs) }
        },
        enforceRebalance: ({ reason }) => {
          this.#needGroup('a rebalance')
          this.#membership!.enforceRebalance(reason)
          return {}
        },
      },
      tell: this.#tells(),
      close: () => this.#close(),
      describe: () => ({
        state: this.#machine.state,
        queues: this.#fetcher.queues(),
        detail: { membership: this.#membership?.state() ?? null, partitions: this.#desk.assigned().length },
      }),
    }
  }

  #tells(): Handlers<ConsumerContract>['tell'] {
    return {
      progress: ({ credit, processed }) => {
        this.#fetcher.credit(credit)
        this.#autoCommit.progressed(processed)
        this.#membership?.polled()
      },
      seek: ({ key, epoch, target }) => this.#fetcher.seek(key, epoch, target),
      pause: ({ key, epoch, offset }) => this.#fetcher.pause(key, epoch, offset),
      resume: ({ key }) => this.#fetcher.resume(key),
      rebalanced: ({ id, offsets }) => void this.#rebalanced(id, offsets),
      assignorAnswered: answered => this.#assignors.answered(answered),
    }
  }

  /**
   * As in Kafka, an automatic commit that fails is no reason to hold the group up: those records come again. In this process what the member says next goes the
   * same way behind the commit, so the group does not wait for the answer either.
   */
  async #rebalanced(id: number, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length > 0) {
      const { sent, taken } = this.#commits.send(offsets, this.#input.defaultApiTimeoutMs)
      const told = taken.then(
        () => this.#caller?.news('autoCommitted', { offsets, error: null }),
        () => undefined,
      )
      this.#lastWord = told
      await (isInProcess(this.#input) ? sent : told)
    }
    this.#desk.rebalanced(id)
  }

  #send(tag: 'assignable' | 'subscribable', event: ConsumerEvent): void {
    if (!this.#machine.hasTag(tag)) {
      const message = `${event.type} while ${this.#machine.state}: assigning and subscribing exclude each other, unsubscribe first`
      throw portError(errorData('ODK_CONSUMER_STATE', message))
    }
    this.#machine.send(event)
  }

  /** While the caller is told that its thread runs, and says what it reads. Whoever needs the coordinator asks again should this fail. */
  #findCoordinator({ groupId }: GroupInput): void {
    const options = { deadlineMs: this.#input.requestTimeoutMs, signal: this.#context.signal }
    this.#link.coordinator('group', groupId, options).catch(() => undefined)
  }

  #openMembership(group: GroupInput): Membership {
    return openMembership({
      context: this.#context,
      link: this.#link,
      input: this.#input,
      group,
      owned: () => this.#desk.assigned(),
      rebalance: async change => {
        if (change.lost) return this.#commits.losing(() => this.#desk.change(change))
        await this.#desk.change(change)
        await this.#commits.hurry(change.revoked)
        this.#commits.gaveUp(change.revoked)
      },
      memberChanged: () => {
        this.#commits.memberChanged()
        this.#caller?.news('memberChanged', this.#membership!.metadata())
      },
      askAssignor: (assignor, call) => this.#assignors.ask(assignor, call),
      fail: error => this.#tellFailure(null, error),
      refresh: topics => this.#metadata.refresh(topics).then(() => this.#noteAbsentTopics()),
      wantMetadata: () => this.#metadata.want(),
    })
  }

  #topics(): readonly string[] | null {
    const subscribed = this.#membership?.topics()
    if (subscribed === null) return null
    return [...new Set([...(subscribed ?? []), ...this.#desk.assigned().map(({ topic }) => topic)])]
  }

  #metadataChanged(): void {
    this.#fetcher.metadataChanged()
    this.#membership?.metadataChanged()
    this.#noteAbsentTopics()
  }

  /** Of the subscribed ones; a group assigns nothing of them, in silence. */
  #noteAbsentTopics(): void {
    const subscribed = this.#membership?.topics() ?? []
    const absent = subscribed.filter(topic => saysAbsent(this.#link.topic(topic)?.errorCode ?? 0))
    for (const topic of absent)
      if (!this.#absent.has(topic)) this.#noteTrouble({ topic }, errors.UNKNOWN_TOPIC_OR_PARTITION.code)
    this.#absent = new Set(absent)
  }

  #noteTrouble(where: { readonly topic: string; readonly partition?: number }, errorCode: number): void {
    const { name, message } = errorOf(errorCode)
    const place = where.partition === undefined ? where.topic : `${where.topic}-${where.partition}`
    this.#context.log.warn({ ...where, code: name }, `reading ${place}: ${name}: ${message} It is tried again.`)
  }

  #tellFailure(key: number | null, error: ErrorData): void {
    this.#context.log.warn({ key, code: error.code }, error.message)
    this.#caller?.news('failed', { key, error })
  }

  #needGroup(what: string): void {
    if (this.#input.group === null) throw portError(errorData('ODK_GROUP_MISSING', `${what} needs the option groupId`))
  }

  #queryHost() {
    const { clock, random, signal } = this.#context
    return { clock, random, signal, link: this.#link, input: this.#input }
  }

  #finish(): void {
    this.#autoCommit.close()
    this.#fetcher.close()
    this.#metadata.close()
    this.#membership?.close()
    this.#assignors.close()
    this.#desk.close()
  }

  async #close(): Promise<void> {
    this.#machine.send({ type: 'close.requested' })
    await this.#link.close()
    this.#machine.send({ type: 'closed' })
  }
}

function stateOf(partition: FetchedPartition | undefined): PartitionState {
  if (partition === undefined) throw portError(errorData('ODK_CONSUMER_STATE', 'the partition is no longer assigned'))
  const { highWatermark, lastStableOffset, logStartOffset } = partition.position
  return { position: partition.beganAt, highWatermark, lastStableOffset, logStartOffset }
}

/** Requests to one coordinator arrive in the order in which they were sent, and nothing but its death loses them. */
function isInProcess({ link }: ConsumerInput): boolean {
  return link.kind === 'port'
}

function manualMetadata({ group }: ConsumerInput) {
  return { groupId: group?.groupId ?? '', generationId: -1, memberId: '', groupInstanceId: null }
}
