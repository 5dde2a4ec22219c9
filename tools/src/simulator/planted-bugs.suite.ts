// Bugs that the checker must find, planted through the seam of `runSeed`: a wrapped leader, or a wrapped log store. None of them is
// possible through an option of the product.
import { leaderModule } from '@odradek/broker/cluster/modules'
import type { LogStore, OpenedLog, PartitionLog } from '@odradek/broker/log/partition-log'
import { actor as leader } from '@odradek/broker/partition/partition-leader.actor'
import { defineActor } from '@odradek/shared/actor/actor'
import * as batch from '@odradek/shared/records/record-batch'
import type { Plant } from './simulation.ts'

/** The leader answers an append with the offset that it will have, and appends a little later. */
export const ackBeforeAppend: Plant = {
  prepare(world) {
    world.use(
      leaderModule,
      defineActor({
        ...leader,
        async start(context, input) {
          const handlers = await leader.start(context, input)
          if (input.topic.startsWith('__')) return handlers
          const { append, describeLog } = handlers.ask
          let end = (await describeLog({}, null as never)).logEndOffset
          const later: (typeof append extends (request: infer R, peer: infer P) => unknown ? [R, P] : never)[] = []
          return {
            ...handlers,
            ask: {
              ...handlers.ask,
              append(request, peer) {
                const baseOffset = end
                for (const at of batch.batchPositions(request.records)) end += batch.recordCount(request.records, at)
                later.push([request, peer])
                context.clock.after(3, () => void append(...later.shift()!))
                return {
                  errorCode: 0,
                  errorMessage: null,
                  baseOffset,
                  logAppendTimeMs: -1,
                  logStartOffset: 0,
                  recordErrors: [],
                }
              },
            },
          }
        },
      }),
    )
  },
}

/** After a restart the log does not know its producers any more. */
export const forgottenProducers: Plant = {
  store: store => withLogs(store, () => ({ producerStates: () => [] })),
}

/** The log ignores when it is to be flushed. */
export const skippedFlush: Plant = {
  store: store =>
    withLogs(store, log => ({
      append: (group, config) =>
        log.append(
          { ...group, durable: false },
          log.identity.topic.startsWith('__') ? config : { ...config, flushMessages: Number.POSITIVE_INFINITY },
        ),
    })),
}

function withLogs(store: LogStore, change: (log: PartitionLog) => Partial<PartitionLog>): LogStore {
  return {
    ...store,
    open(identity): OpenedLog {
      const { log, recovered } = store.open(identity)
      return { log: overlay(log, change(log)), recovered }
    },
  }
}

/** The log with some methods replaced; getters stay live. */
function overlay(log: PartitionLog, changed: Partial<PartitionLog>): PartitionLog {
  return new Proxy(log, {
    get(target, name) {
      const replaced = Object.getOwnPropertyDescriptor(changed, name)
      const value = replaced === undefined ? Reflect.get(target, name, target) : replaced.value
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
