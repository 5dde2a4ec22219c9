// One thread of worker consumers: its own member of the group, the user's handler module, and what is done when that throws.
import { systemClock } from '@odradek/shared/base/clock'
import { systemRandom } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import { loadedModule, type ModuleThread, type ModuleWork, serveModule } from '@odradek/shared/client/module-thread'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { ConsumerOptions } from './consumer-options.ts'
import { createConsumer } from './create-consumer.ts'
import { checkHandler, type HandlerContext, type HandlerModule } from './handler-module.ts'

/** What a thread is started with. */
export interface HandlerInput {
  readonly handler: string
  readonly topics: readonly string[] | { readonly source: string; readonly flags: string } | null
  readonly options: Partial<ConsumerOptions>
  readonly partitionConcurrency: number
}

/** Asked of the starting thread when the handler threw: stop, skip or retry. */
export interface HandlerFailure {
  readonly error: { readonly name: string; readonly message: string }
  readonly at: TopicPartition & { readonly offset: bigint }
  readonly thread: number
}

const RETRY = { initialMs: 100, maxMs: 1_000 }

await serveModule<HandlerInput>(run)

async function run({ input, thread, broker, signal, ask }: ModuleThread<HandlerInput>): Promise<ModuleWork> {
  const handler = checkHandler(input.handler, await loadedModule<HandlerModule>(input.handler))
  const { onAssigned, onRevoked, onLost, partitionAssignmentStrategy } = handler
  const consumer = createConsumer({
    ...input.options,
    ...(onAssigned && { onAssigned }),
    ...(onRevoked && { onRevoked }),
    ...(onLost && { onLost }),
    ...(partitionAssignmentStrategy && { partitionAssignmentStrategy }),
    bootstrapServers: broker,
  })
  const context: HandlerContext = { thread, signal, commit: offsets => consumer.commit(offsets) }
  const counts = { handled: 0, skipped: 0, retried: 0 }

  /** Runs the handler until it succeeds or is given up: throws only what ends the thread. */
  const guarded = async (work: () => unknown, at: HandlerFailure['at']) => {
    for (let tries = 0; ; tries++) {
      try {
        await work()
        return true
      } catch (thrown) {
        const { name, message } = thrown instanceof Error ? thrown : { name: 'Error', message: String(thrown) }
        const choice = await ask({ error: { name, message }, at, thread } satisfies HandlerFailure)
        if (choice === 'skip') counts.skipped++
        if (choice === 'skip') return false
        if (choice !== 'retry' || signal.aborted) throw thrown
        counts.retried++
        const waitMs = backoffMs(RETRY, tries, systemRandom().float())
        await new Promise<void>(resolve => systemClock.after(waitMs, resolve))
      }
    }
  }

  const consume = async () => {
    await handler.start?.(context)
    const topics = handler.topics ?? topicsOf(input)
    const options = { signal, partitionConcurrency: input.partitionConcurrency }
    try {
      if (handler.each !== undefined) {
        await consumer.each(
          topics,
          async record => {
            const { topic, partition, offset } = record
            if (await guarded(() => handler.each!(record, context), { topic, partition, offset })) counts.handled++
          },
          options,
        )
      } else {
        await consumer.batch(
          topics,
          async batch => {
            const at = { topic: batch.topic, partition: batch.partition, offset: batch.position }
            if (await guarded(() => handler.batch!(batch, context), at)) counts.handled++
          },
          options,
        )
      }
    } finally {
      await consumer.close()
      await handler.stop?.(context)
    }
  }
  const metrics = () => ({ ...counts, assigned: consumer.assignment(), ...consumer.metrics() })
  return { done: consume(), metrics }
}

function topicsOf({ topics }: HandlerInput): RegExp | readonly string[] {
  if (topics !== null && 'source' in topics) return new RegExp(topics.source, topics.flags)
  return topics ?? []
}
