// Bugs that the checker must find, planted through the seam of `runSeed`: a wrapped leader, a bent coordinator, or a wrapped log store. None of them is
// possible through an option of the product.
import type { LogStore, OpenedLog, PartitionLog } from '@odradek/broker/log/partition-log'
import { groupShard } from '@odradek/coordinator/group/group-shard'
import { transactionShard } from '@odradek/coordinator/transaction/transaction-shard'
import * as batch from '@odradek/shared/records/record-batch'
import type { Plant } from './simulation.ts'

type Leader = Parameters<NonNullable<NonNullable<Plant['actors']>['leader']>>[0]
type Asks = Awaited<ReturnType<Leader['start']>>['ask']
type LeaderBend = (ask: Asks, ...started: Parameters<Leader['start']>) => Partial<Asks> | Promise<Partial<Asks>>

/** Leaders some of whose answers are others. */
function bentLeaders(bend: LeaderBend): Plant {
  const bent = (leader: Leader): Leader => ({
    ...leader,
    async start(context, input) {
      const handlers = await leader.start(context, input)
      return { ...handlers, ask: { ...handlers.ask, ...(await bend(handlers.ask, context, input)) } }
    },
  })
  return { actors: { leader: bent } }
}

/** The leader answers an append with the offset that it will have, and appends a little later. */
export const ackBeforeAppend = bentLeaders(async ({ append, describeLog }, context, input) => {
  if (input.topic.startsWith('__')) return {}
  let end = (await describeLog({}, null as never)).logEndOffset
  const later: Parameters<typeof append>[] = []
  return {
    append(request, peer) {
      const baseOffset = end
      for (const at of batch.batchPositions(request.records)) end += batch.recordCount(request.records, at)
      later.push([request, peer])
      context.clock.after(3, () => void append(...later.shift()!))
      return { errorCode: 0, errorMessage: null, baseOffset, logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [] }
    },
  }
})

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

/** After a failed flush the log goes on, and takes the next one that succeeds for a proof. */
export const trustedFlush: Plant = {
  store: store => ({
    ...store,
    open(identity): OpenedLog {
      const opened = store.open(identity)
      Object.defineProperty(opened.log, 'hasFailed', { value: false })
      return opened
    },
  }),
}

// --- groups -----------------------------------------------------------------------------------------------------------------------

/** The group coordinator takes a partition for free before its owner gave it up. */
export const twoOwners: Plant = {
  actors: {
    groupShard: setup => {
      const shard = groupShard(setup)
      return {
        ...shard,
        replay(state, record, meta) {
          const forgets = record.kind === 'ConsumerGroupCurrentMemberAssignment' && record.value !== null
          const forgotten = forgets
            ? { ...record, value: { ...record.value!, partitionsPendingRevocation: [] } }
            : record
          shard.replay(state, forgotten as typeof record, meta)
        },
      }
    },
  },
}

/** Commits of whoever was a member once are taken. */
export const oldGenerationsCommit: Plant = {
  actors: {
    groupShard: setup => {
      const shard = groupShard(setup)
      const { offsetCommit } = shard.handlers
      return bentGroup(shard, 'offsetCommit', (state, asked, context) => {
        const group = state.groups.get(asked.request.groupId)
        const { memberId } = asked.request
        const known = group?.members?.get(memberId) ?? [...(group?.members?.values() ?? [])][0]
        const identity = {
          memberId: known?.memberId ?? memberId,
          groupInstanceId: known?.groupInstanceId ?? known?.instanceId ?? null,
          generationIdOrMemberEpoch: group?.generationId ?? known?.memberEpoch ?? -1,
        }
        return (offsetCommit as any).decide(state, { ...asked, request: { ...asked.request, ...identity } }, context)
      })
    },
  },
}

/** The new id of a static member is not written down. */
export const lostStaticMapping: Plant = {
  actors: {
    groupShard: setup => {
      const shard = groupShard(setup)
      const { joinGroup } = shard.handlers
      return bentGroup(shard, 'joinGroup', (state, asked, context) => {
        const decision = (joinGroup as any).decide(state, asked, context)
        return state.groups.get(asked.request.groupId)?.state === 'Stable' ? { ...decision, records: [] } : decision
      })
    },
  },
}

type Bend = (state: any, asked: any, context: any) => any

function bentGroup<S extends ReturnType<typeof groupShard>>(shard: S, name: keyof S['handlers'], decide: Bend): S {
  return { ...shard, handlers: { ...shard.handlers, [name]: { ...(shard.handlers as any)[name], decide } } }
}

// --- transactions -----------------------------------------------------------------------------------------------------------------

/** What was decided before a coordinator died is not told to anybody. */
export const forgottenMarkers: Plant = {
  actors: {
    transactionShard: settings => {
      const shard = transactionShard(settings)
      return {
        ...shard,
        onLoaded(state, context) {
          const decision = shard.onLoaded!(state, context)
          return { ...decision, effects: decision.effects!.filter(({ kind }) => kind !== 'writeMarkers') }
        },
      }
    },
  },
}

/** Leaders take markers whatever coordinator has sent them: one that died may end what began after its end. */
export const lateMarkersCount = bentLeaders(({ writeMarker }) => ({
  writeMarker: (request, peer) => writeMarker({ ...request, coordinatorEpoch: 0 }, peer),
}))

/** Committed readers are given one record more than is stable. */
export const stableOffsetPlusOne: Plant = {
  store: store =>
    withLogs(store, log => ({
      read: (offset, limits) =>
        log.read(offset, { ...limits, maxOffset: Math.min(log.logEndOffset, limits.maxOffset + 1) }),
    })),
}

/** Ends do not raise the epoch, so that a late one passes for an end of the next transaction. */
export const endsRaiseNoEpoch: Plant = {
  actors: {
    transactionShard: bentTransaction('endTxn', (decide, state, asked, context) =>
      decide(state, { ...asked, clientTransactionVersion: 1 }, context),
    ),
  },
}

/** A successor gets the epoch of the producer that it should fence. */
export const epochNotBumped: Plant = {
  actors: {
    transactionShard: bentTransaction('initProducerId', (decide, state, asked, context) => {
      const known = state.get(asked.transactionalId)
      if (known === undefined || asked.expected !== null) return decide(state, asked, context)
      const { producerId, producerEpoch } = known.metadata
      return { reply: { kind: 'done', producerId, producerEpoch } }
    }),
  },
}

/** Offsets of a transaction count before it is committed. */
export const stagedOffsetsVisible: Plant = {
  actors: {
    groupShard: setup => {
      const shard = groupShard(setup)
      return {
        ...shard,
        replay: (state, record, meta) => shard.replay(state, record, { ...meta, transactional: false }),
      }
    },
  },
}

function bentTransaction(
  name: 'endTxn' | 'initProducerId',
  bend: (decide: Bend, state: any, asked: any, context: any) => any,
): typeof transactionShard {
  return settings => {
    const shard = transactionShard(settings)
    const handler = shard.handlers[name] as any
    const decide: Bend = (state, asked, context) => bend(handler.decide, state, asked, context)
    return { ...shard, handlers: { ...shard.handlers, [name]: { ...handler, decide } } }
  }
}

// --- logs -------------------------------------------------------------------------------------------------------------------------

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
