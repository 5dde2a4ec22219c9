// Worker consumers: the partitions of one group spread over threads of the application, each with a member of its own and the user's handler module. Order within a
// partition, commits and fencing are those of the group: nothing new is invented.

import { KafkaError } from '@odradek/shared/base/errors'
import { limits } from '@odradek/shared/base/limits'
import { namesIn } from '@odradek/shared/client/call-input'
import type { ClusterDoor } from '@odradek/shared/client/cluster-link'
import type { InJavasSpelling } from '@odradek/shared/client/java-names'
import { ModuleThreads } from '@odradek/shared/client/module-threads'
import { moduleUrl } from '@odradek/shared/client/module-url'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import {
  anything,
  integer,
  isAbortSignal,
  isObject,
  notTaken,
  type OptionTable,
  oneOf,
  parseOptions,
  shown,
} from '@odradek/shared/client/options'
import { topicOf } from '@odradek/shared/client/topic'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { type ConsumerOptions, readConsumerOptions } from './consumer-options.ts'
import type { HandlerFailure, HandlerInput } from './handler.worker.ts'
import { type HandlerFailureChoice, onErrorOption } from './handler-failure-choice.ts'
import { type AssignorName, isPartitionAssignor } from './partition-assignor.ts'

type Plain = Omit<
  ConsumerOptions,
  | 'partitionAssignmentStrategy'
  | 'onAssigned'
  | 'onRevoked'
  | 'onLost'
  | 'onDecodeError'
  | 'interceptors'
  | 'groupInstanceId'
  | 'groupId'
>

export interface ConsumeOptions extends Plain {
  readonly groupId: string
  /** Static membership: thread n is `groupInstanceId-n`. */
  readonly groupInstanceId?: string
  /** As a consumer's, by names; assignors of your own are exported by the module under this name. */
  readonly partitionAssignmentStrategy?: AssignorName | readonly AssignorName[]
  /** Names, or a pattern, when the module exports no `topics`. */
  readonly topics?: string | RegExp | readonly string[]
  /** Threads, each a member of the group. Default 2. More than there are partitions: the rest stands by. */
  readonly threads?: number
  /** Partitions that one thread works on at the same time. Default 1. */
  readonly partitionConcurrency?: number
  readonly onDecodeError?: 'fail' | 'skip'
  /** What is done when the handler throws. A function runs in the calling thread. Default `stop`. */
  readonly onError?:
    | HandlerFailureChoice
    | ((failure: HandlerFailure) => HandlerFailureChoice | Promise<HandlerFailureChoice>)
  /** A thread that dies (an uncaught error, out of memory) is replaced (default), up to five times a minute, or ends all. What it had not committed comes again. */
  readonly onDeath?: 'restart' | 'stop'
  readonly signal?: AbortSignal
}

/** What one thread has done; null before it reported for the first time. */
export interface HandlerThreadMetrics {
  /** Records (`each`) or batches (`batch`) that the handler finished. */
  readonly handled: number
  readonly skipped: number
  readonly retried: number
  readonly assigned: readonly TopicPartition[]
  readonly bytes: number
  readonly rebalances: number
}

/** Worker consumers that run. */
export interface WorkerConsumers extends AsyncDisposable {
  /** Resolves when all were closed; rejects with what the handler threw (`onError: 'stop'`), ODK_THREAD_DIED, ODK_HANDLER_INVALID or a fatal error of a member. */
  readonly done: Promise<void>
  /** Per thread, at most 200 ms old. */
  metrics(): readonly (HandlerThreadMetrics | null)[]
  /** Ends a thread as if it had crashed. For study and tests. */
  kill(thread: number): Promise<void>
  /** Each thread finishes what it has in hand, commits and leaves the group. Does not throw what `done` rejects with. Idempotent. */
  close(): Promise<void>
}

/**
 * Runs the module at `handler` on several threads, over the partitions of one group: a busy handler uses cores without blocking this thread, nor one another.
 * A partition is with one thread at a time, in order; a thread commits what its handler finished, never what went to another.
 *
 *     const orders = consume(new URL('./handle-order.js', import.meta.url), { bootstrapServers: broker, groupId: 'billing', topics: 'orders', threads: 4 })
 *     // handle-order.js:  export async function each({ key, value }) { ... }
 *
 * Throws KafkaError ODK_OPTION_*.
 */
export function consume(
  handler: URL | string,
  options: ConsumeOptions & InJavasSpelling<ConsumeOptions>,
): WorkerConsumers {
  const { topics, threads, partitionConcurrency, onError, onDeath, signal, given } = readOwnOptions(options)
  const source = topics instanceof RegExp ? { source: topics.source, flags: topics.flags } : namesOf(topics)
  if (given.groupId === undefined) throw new KafkaError('ODK_OPTION_MISSING', 'consume: groupId is missing')
  const resolved = readConsumerOptions(given, 'consume')
  const module = moduleUrl('consume: handler', handler)
  const door = openClusterDoor('consume', resolved, threads)
  // Where the cluster is and who we are there is in the ticket; the threads need no secrets.
  const { bootstrapServers: _, tls: __, sasl: ___, groupInstanceId, ...plain } = given
  refuseFunctions(plain)
  const input = (thread: number): HandlerInput => ({
    handler: module,
    topics: source,
    options: { ...plain, ...(groupInstanceId && { groupInstanceId: `${groupInstanceId}-${thread}` }) },
    partitionConcurrency,
  })
  const running = new ModuleThreads({
    clock: door.host.clock,
    entry: new URL('./handler.worker.ts', import.meta.url),
    threads,
    ticket: () => ticketOf(door),
    input,
    answer: failure => (typeof onError === 'function' ? onError(failure as HandlerFailure) : onError),
    onDeath,
  })
  const stop = () => running.stop()
  const done = running.done.finally(() => {
    signal?.removeEventListener('abort', stop)
    door.release?.()
  })
  // Who does not look at `done` must not have his process ended by it.
  done.catch(() => undefined)
  const close = async () => {
    stop()
    await done.catch(() => undefined)
  }
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  return {
    done,
    metrics: () => running.metrics as readonly (HandlerThreadMetrics | null)[],
    kill: thread => running.kill(thread),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function ticketOf(door: ClusterDoor) {
  const ticket = door.ticket?.()
  if (ticket !== undefined) return ticket
  throw new KafkaError('ODK_OPTION_INVALID', 'consume: give the broker itself, in the thread that created it')
}

type OwnOptions = Pick<ConsumeOptions, 'topics' | 'signal'> &
  Required<Pick<ConsumeOptions, 'threads' | 'partitionConcurrency' | 'onError' | 'onDeath'>>

const ownTable: OptionTable<OwnOptions> = {
  topics: anything(null, 'names or a pattern', () => true, undefined),
  threads: integer(null, 2, { min: 1, max: limits.moduleThreadsMax }),
  partitionConcurrency: integer(null, 1, { min: 1 }),
  onError: onErrorOption<OwnOptions['onError']>(),
  onDeath: oneOf(null, ['restart', 'stop'], 'restart'),
  signal: anything(null, 'an AbortSignal', isAbortSignal, undefined),
}

/** Its own options, and `given`: those of its consumers. */
function readOwnOptions(options: ConsumeOptions) {
  if (!isObject(options)) throw notTaken('consume', 'an object of options', options)
  const names = Object.keys(options) as (keyof ConsumeOptions)[]
  const isOwn = (name: string) => Object.hasOwn(ownTable, name)
  const part = (wanted: (name: string) => boolean) =>
    Object.fromEntries(names.filter(wanted).map(name => [name, options[name]]))
  const { options: own } = parseOptions('consume', ownTable, part(isOwn))
  return {
    ...own,
    given: part(name => !isOwn(name)) as unknown as Plain & Pick<ConsumeOptions, 'groupId' | 'groupInstanceId'>,
  }
}

function namesOf(topics: string | readonly string[] | undefined): readonly string[] | null {
  return topics === undefined ? null : namesIn('consume: topics', topics).map(name => topicOf(name).name)
}

function refuseFunctions(options: { readonly [name: string]: unknown }): void {
  const holdsFunction = (value: unknown) =>
    [value].flat().some(each => typeof each === 'function' || isPartitionAssignor(each))
  const name = Object.keys(options).find(key => holdsFunction(options[key]))
  if (name !== undefined)
    invalid(name, 'exported by the handler module: a function reaches no other thread', () => undefined)
}

function invalid(name: string, expected: string, given: unknown): never {
  throw new KafkaError('ODK_OPTION_INVALID', `consume: ${name} must be ${expected}, got ${shown(given)}`)
}
