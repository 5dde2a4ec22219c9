// The caller's end of the consumer's thread: spawns it, links to it, keeps the inbox in step with its assignment, runs the user's hooks, and
// begins anew when the thread was restarted. Owned by the Consumer.
import {
  type ActorModule,
  type Address,
  type AskOptions,
  actorModule,
  type Link,
  type Spawned,
} from '@odradek/shared/actor/actor'
import type { MessageOf, RequestOf, ResponseOf } from '@odradek/shared/actor/contract'
import { type ErrorData, type KafkaError, PortError } from '@odradek/shared/base/errors'
import { brokerClosed, type ClusterDoor } from '@odradek/shared/client/cluster-link'
import type { Codec } from '@odradek/shared/client/codecs'
import { endWhenCutOff } from '@odradek/shared/client/cut-off'
import {
  type CommittedOffset,
  type ConsumerContract,
  type ConsumerInput,
  consumer,
  type GroupMetadata,
  type Rebalance,
  type Subscription,
  type TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import { answerAssignorCall } from './assignor-answers.ts'
import { errorData, kafkaErrorOf } from './consumer-errors.ts'
import { consumerInput, type RebalanceHook, type ResolvedConsumerOptions } from './consumer-options.ts'
import { Inbox, type ReadPartition } from './inbox.ts'
import type { PartitionAssignor } from './partition-assignor.ts'

type Asks = ConsumerContract['asks']
type AssignorQuestion = MessageOf<ConsumerContract['news']['assignorCalled']>

/** What the caller wants to read; repeated to a restarted thread. */
type Wish =
  | { readonly kind: 'subscription'; readonly subscription: Subscription }
  | { readonly kind: 'assignment' }
  | null

export interface ConnectionHost {
  readonly options: ResolvedConsumerOptions
  codecsOf(topic: string): { readonly key: Codec; readonly value: Codec }
  committed(offsets: readonly CommittedOffset[]): void
}

const consumerModule: ActorModule<ConsumerContract, ConsumerInput> = actorModule(
  consumer,
  new URL('./consumer.actor.ts', import.meta.url),
)

export class ConsumerConnection {
  readonly inbox: Inbox
  readonly #host: ConnectionHost
  readonly #door: ClusterDoor
  readonly #module: ActorModule<ConsumerContract, ConsumerInput>
  #spawned: Promise<Spawned<ConsumerContract>> | null = null
  #link: Link<ConsumerContract> | null = null
  #wish: Wish = null
  /** Rebalances are dealt with one after another. */
  #rebalances: Promise<void> = Promise.resolve()
  #failures: KafkaError[] = []
  #fatal: KafkaError | null = null
  #closing = false
  /** Closing, and no function of the user is waited for any more. */
  #released = false
  /** Its thread was replaced, and the successor does not know yet what is assigned. */
  #adrift = false
  rebalances = 0
  /** As its thread told last. */
  member: GroupMetadata

  constructor(door: ClusterDoor, host: ConnectionHost, module = consumerModule) {
    this.#door = door
    this.#host = host
    this.#module = module
    this.member = this.#nobody()
    this.inbox = new Inbox(door.host.clock, progress => this.#link?.tell('progress', progress))
  }

  get isClosing(): boolean {
    return this.#closing
  }

  /** Throws what the user must hear, once; a fatal error always. */
  throwFailure(): void {
    if (this.#fatal !== null) throw this.#fatal
    const failure = this.#failures.shift()
    if (failure !== undefined) throw failure
  }

  async ask<N extends keyof Asks & string>(
    name: N,
    request: RequestOf<Asks[N]>,
    options?: AskOptions,
  ): Promise<ResponseOf<Asks[N]>> {
    if (this.#closing && name !== 'unsubscribe' && name !== 'commit') {
      throw kafkaErrorOf(errorData('ODK_CONSUMER_CLOSED', 'the consumer was closed'))
    }
    const link = await this.#connected()
    try {
      return await link.ask(name, request, options)
    } catch (error) {
      if (error instanceof PortError) throw kafkaErrorOf(error, error)
      throw error
    }
  }

  async subscribe(subscription: Subscription, options?: AskOptions): Promise<void> {
    this.#wish = { kind: 'subscription', subscription }
    await this.ask('subscribe', subscription, options)
  }

  async assign(
    partitions: readonly (TopicPartition & { readonly offset?: number })[],
    options?: AskOptions,
    taken?: () => void,
  ): Promise<void> {
    this.#wish = { kind: 'assignment' }
    await this.inbox.whileAssigning(async () => {
      const { assigned } = await this.ask('assign', { partitions }, options)
      for (const key of [...this.inbox.partitions.keys()]) this.inbox.remove(key)
      for (const each of assigned) {
        const added = this.inbox.add(each, this.#host.codecsOf(each.topic))
        const given = partitions.find(({ topic, partition }) => topic === each.topic && partition === each.partition)
        added.position = given?.offset ?? -1
      }
      taken?.()
    })
  }

  async unsubscribe(): Promise<void> {
    const wish = this.#wish
    this.#wish = null
    if (this.#spawned === null) return
    await this.ask('unsubscribe', {})
    if (wish?.kind === 'assignment') for (const key of [...this.inbox.partitions.keys()]) this.inbox.remove(key)
  }

  /** Moves the position of an assigned partition. */
  seek(partition: ReadPartition, target: { readonly offset: number } | { readonly timestamp: number }): void {
    this.inbox.purge(partition)
    partition.epoch++
    partition.position = 'offset' in target ? target.offset : -1
    partition.committable = partition.position
    partition.processed = -1
    partition.reported = -1
    partition.seeking = 'offset' in target ? null : target
    if (!this.#adrift) this.#link?.tell('seek', { key: partition.key, epoch: partition.epoch, target })
  }

  pause(partition: ReadPartition): void {
    if (partition.paused) return
    this.inbox.purge(partition)
    partition.epoch++
    partition.paused = true
    if (!this.#adrift)
      this.#link?.tell('pause', { key: partition.key, epoch: partition.epoch, offset: partition.position })
  }

  resume(partition: ReadPartition): void {
    if (!partition.paused) return
    partition.paused = false
    if (!this.#adrift) this.#link?.tell('resume', { key: partition.key })
  }

  /** Ends the readers, waits for what they have in hand (`drained`), gives everything back to the group and ends the thread. */
  async close(drained: () => Promise<void>): Promise<void> {
    this.#closing = true
    this.inbox.isStopping = true
    this.inbox.wake()
    await drained()
    this.#released = true
    this.inbox.wake()
    if (this.#spawned !== null) await this.#end(await this.#spawned)
    await this.#door.release?.()
  }

  async #end(spawned: Spawned<ConsumerContract>): Promise<void> {
    this.inbox.flush()
    // With a thread that has ended for good nothing can be committed.
    if (this.#wish?.kind === 'assignment' && this.#fatal === null)
      await this.#autoCommit(this.#uncommitted([...this.inbox.partitions.values()]), await this.#connected())
    await this.ask('unsubscribe', {}).catch(() => undefined)
    await this.#rebalances
    this.inbox.close()
    this.#link?.close()
    await spawned.close()
  }

  async #connected(): Promise<Link<ConsumerContract>> {
    if (this.#fatal !== null) throw this.#fatal
    if (this.#spawned === null) {
      const { options } = this.#host
      const input = consumerInput(options, this.#door.link)
      const name = options.groupId === undefined ? options.clientId : `${options.groupId}/${options.clientId}`
      this.#spawned = this.#door.host.spawn(this.#module, input, { name })
      this.#spawned.then(
        spawned => spawned.onChange((address, reason) => this.#moved(spawned, address, reason)),
        () => {},
      )
    }
    try {
      const spawned = await this.#spawned
      this.#link ??= this.#open(spawned, spawned.address)
    } catch (error) {
      this.#spawned = null
      throw error instanceof PortError ? (brokerClosed(this.#door, error) ?? kafkaErrorOf(error, error)) : error
    }
    return this.#link!
  }

  #open(spawned: Spawned<ConsumerContract>, address: Address<ConsumerContract>): Link<ConsumerContract> {
    const link = this.#door.host.link(consumer, address)
    endWhenCutOff(this.#door.host, spawned, link, () => this.#link === link && !this.#closing)
    link.on('deliveries', ({ deliveries }) => this.inbox.receive(deliveries))
    link.on('failed', ({ key, error }) => {
      if (key === null) this.#fail(error)
      else this.inbox.receiveFailure(key, kafkaErrorOf(error))
    })
    link.on('memberChanged', member => {
      this.member = member
    })
    link.on('autoCommitted', ({ offsets, error }) => {
      if (error === null) this.#host.committed(offsets)
      // As in Kafka, a failed automatic commit does not end reading: it is made good by the next one, or the records come again.
      else if (kafkaErrorOf(error).fatal) this.#fail(error)
    })
    link.on('assignorCalled', question => void this.#askAssignor(link, question))
    link.on('rebalance', rebalance => {
      this.rebalances++
      this.#rebalances = this.#rebalances.then(() => this.#rebalance(link, rebalance))
    })
    return link
  }

  /** The thread died and another took its place (or none): what was in hand is stale, a group's partitions are lost. */
  #moved(spawned: Spawned<ConsumerContract>, address: Address<ConsumerContract> | null, reason: string): void {
    this.#link?.close()
    this.#link = null
    this.member = this.#nobody()
    if (this.#closing) return
    if (address === null) {
      const died = kafkaErrorOf(
        errorData('ODK_CONSUMER_DIED', `the consumer's thread ended: ${reason}`, { fatal: true }),
      )
      this.#fatal = brokerClosed(this.#door, died) ?? died
      this.inbox.wake()
      return
    }
    const link = this.#open(spawned, address)
    this.#link = link
    this.#begin().catch((error: unknown) => {
      // It died again meanwhile: its successor begins anew.
      if (this.#link !== link || link.isClosed) return
      this.#fail({ code: 'ODK_CONSUMER_DIED', message: `what was read could not be taken up again: ${error}` })
    })
  }

  #nobody(): GroupMetadata {
    return { groupId: this.#host.options.groupId ?? '', generationId: -1, memberId: '', groupInstanceId: null }
  }

  async #begin(): Promise<void> {
    const before = [...this.inbox.partitions.values()]
    if (this.#wish?.kind === 'assignment') return this.#takeUp(before)
    for (const { key } of before) this.inbox.remove(key)
    const { onLost, onRevoked } = this.#host.options
    await this.#hook(onLost ?? onRevoked, before)
    if (this.#wish?.kind === 'subscription') await this.subscribe(this.#wish.subscription)
  }

  /** Assigns to the thread's successor what was assigned, where the caller stands. */
  async #takeUp(before: readonly ReadPartition[]): Promise<void> {
    this.#adrift = true
    for (const partition of before) {
      // What is in hand would move positions that the successor is told now.
      this.inbox.purge(partition)
      partition.epoch++
    }
    const asked = before.map(({ topic, partition, position, epoch }) => ({
      at: { topic, partition, ...(position < 0 ? {} : { offset: position }) },
      epoch,
    }))
    await this.assign(
      asked.map(({ at }) => at),
      undefined,
      () => {
        this.#adrift = false
        for (const [n, old] of before.entries()) this.#resumeAs(old, asked[n]!.epoch)
      },
    )
  }

  /** What the caller did with the partition before its thread was replaced, and meanwhile, holds for its successor. */
  #resumeAs(old: ReadPartition, epochAsked: number): void {
    const { topic, partition, position, seeking, paused, processed, committable, leaderEpoch } = old
    const again = this.inbox.find(topic, partition)
    if (again === undefined) return
    if (seeking !== null) this.seek(again, seeking)
    else if (old.epoch !== epochAsked && position >= 0) this.seek(again, { offset: position })
    Object.assign(again, { processed, committable, leaderEpoch })
    if (paused) this.pause(again)
  }

  /**
   * When its thread dies meanwhile, the rebalance is over: `#begin` has told the user that all was lost, so what he finishes now may not be committed, and
   * the keys of a thread that is no more mean nothing to its successor.
   */
  async #rebalance(link: Link<ConsumerContract>, rebalance: Rebalance): Promise<void> {
    const { id, revoked, lost, assigned, ends } = rebalance
    const { onAssigned, onRevoked, onLost } = this.#host.options
    const isOver = () => this.#link !== link
    if (isOver()) return
    const going = this.#known(revoked)
    const gone = this.#known(lost)
    for (const partition of [...going, ...gone]) {
      partition.revoking = true
      this.inbox.purge(partition)
    }
    await this.#idle(going)
    if (isOver()) return
    const offsets = this.#uncommitted(going)
    // When no hook waits for the commit, it goes along with the answer: the group waits for one trip between the threads less.
    const goesAlong = onRevoked === undefined && assigned.length === 0
    if (!goesAlong) await this.#autoCommit(offsets, link)
    if (isOver()) return
    if (going.length > 0) await this.#hook(onRevoked, going)
    if (gone.length > 0) await this.#hook(onLost ?? onRevoked, gone)
    if (isOver()) return
    for (const { key } of [...going, ...gone]) this.inbox.remove(key)
    const come = assigned.map(partition => this.inbox.add(partition, this.#host.codecsOf(partition.topic)))
    // Kafka calls it even with nothing new, so that a member knows that a rebalance is over.
    if (come.length > 0 || ends) await this.#hook(onAssigned, come)
    link.tell('rebalanced', { id, offsets: goesAlong ? offsets : [] })
    this.inbox.wake()
  }

  async #askAssignor(link: Link<ConsumerContract>, { id, assignor: name, call }: AssignorQuestion): Promise<void> {
    const choices = this.#host.options.partitionAssignmentStrategy
    const assignor = choices.find(choice => typeof choice !== 'string' && choice.name === name) as PartitionAssignor
    try {
      const answer = await answerAssignorCall(assignor, call)
      link.tell('assignorAnswered', { id, answer, error: null })
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      const error = errorData('ODK_ASSIGNOR_FAILED', `assignor ${name} failed in ${call.kind}: ${why}`)
      link.tell('assignorAnswered', { id, answer: null, error })
    }
  }

  #known(keys: readonly number[]): ReadPartition[] {
    return keys.map(key => this.inbox.partitions.get(key)).filter(partition => partition !== undefined)
  }

  /** Waits until no user code is at work on these; a consumer that closes has waited for it already, as long as it may. */
  async #idle(partitions: readonly ReadPartition[]): Promise<void> {
    while (!this.#released && partitions.some(({ busy }) => busy)) await this.inbox.changed()
  }

  /** What automatic commits are to say of these before they go. */
  #uncommitted(partitions: readonly ReadPartition[]): CommittedOffset[] {
    const { groupId, enableAutoCommit } = this.#host.options
    if (groupId === undefined || !enableAutoCommit) return []
    return partitions
      .filter(({ processed }) => processed >= 0)
      .map(({ topic, partition, processed, leaderEpoch }) => ({
        topic,
        partition,
        offset: processed,
        leaderEpoch,
        metadata: '',
      }))
  }

  /** By the thread that fetched them: its successor knows nothing of what was processed before. */
  async #autoCommit(offsets: readonly CommittedOffset[], link: Link<ConsumerContract>): Promise<void> {
    if (offsets.length === 0) return
    await link.ask('commit', { offsets }).then(
      () => this.#host.committed(offsets),
      // As in Kafka, a failed automatic commit is no reason to hold the group up: those records come again.
      () => undefined,
    )
  }

  async #hook(hook: RebalanceHook | undefined, partitions: readonly TopicPartition[]): Promise<void> {
    try {
      await hook?.(partitions.map(({ topic, partition }) => ({ topic, partition })))
    } catch (error) {
      const message = `a rebalance hook failed: ${error instanceof Error ? error.message : String(error)}`
      this.#failures.push(kafkaErrorOf(errorData('ODK_HOOK_FAILED', message), error))
      this.inbox.wake()
    }
  }

  #fail(error: ErrorData): void {
    const failure = kafkaErrorOf(error)
    if (failure.fatal) this.#fatal = failure
    // What is told again and again, while nobody reads, is told once.
    else if (this.#failures.at(-1)?.message !== failure.message) this.#failures.push(failure)
    this.inbox.wake()
  }
}
