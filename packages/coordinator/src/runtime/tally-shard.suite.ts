// A small shard for tests of the runtime: counts per key, with everything a shard can have (soft state, timers, late replies,
// transactions, notices). What is true of it must be true of coordinators.
import { NO_TICKET, type Ticket } from './effects.ts'
import type { Refusal } from './refusal.rules.ts'
import { defineShard } from './shard.ts'

export interface Tally {
  readonly counts: Map<string, number>
  /** Offset and timestamp of each key's last record. */
  readonly last: Map<string, string>
  /** Staged by producer id. */
  readonly staged: Map<number, TallyRecord[]>
  readonly waiting: Ticket[]
}

export interface TallyRecord {
  readonly key: string
  readonly count: number
}

type Reply = { readonly value: number } | { readonly refused: Refusal }

export type TallyShard = {
  state: Tally
  record: TallyRecord
  soft: { readonly waits: Ticket } | { readonly nobodyWaits: true }
  words: {
    /** Adds to a count; replies the new count. */
    add: { request: { key: string; by: number; isPatient?: boolean }; reply: Reply }
    /** Adds to several counts at once. */
    addAll: { request: { keys: readonly string[]; divisible?: boolean }; reply: Reply }
    get: { request: { key: string }; reply: Reply }
    /** Replies when somebody says `go`. */
    wait: { request: Record<string, never>; reply: Reply }
    go: { request: Record<string, never>; reply: Reply }
    /** Adds once, after a while. */
    addLater: { request: { key: string; delayMs: number }; reply: Reply }
    cancelLater: { request: { key: string }; reply: Reply }
    stage: { request: { key: string; producerId: number }; reply: Reply }
  }
  notice: string
  markers: never
}

const refuse = (_: unknown, refused: Refusal): Reply => ({ refused })

export const tallyShard = defineShard<TallyShard>({
  name: 'tally',
  initial: () => ({ counts: new Map(), last: new Map(), staged: new Map(), waiting: [] }),
  replay(state, record, meta) {
    if (meta.transactional) {
      state.staged.set(meta.producerId, [...(state.staged.get(meta.producerId) ?? []), record])
      return
    }
    state.counts.set(record.key, record.count)
    state.last.set(record.key, `${meta.offset}@${meta.timestamp}`)
  },
  replayEndTransactionMarker(state, { producerId, result }) {
    for (const { key, count } of state.staged.get(producerId) ?? [])
      if (result === 'COMMIT') state.counts.set(key, count)
    state.staged.delete(producerId)
  },
  applySoft(state, soft) {
    if ('waits' in soft) state.waiting.push(soft.waits)
    else state.waiting.length = 0
  },
  encodeRecord: ({ key, count }) => ({ key: Buffer.from(key), value: Buffer.from(String(count)) }),
  decodeRecord: (key, value) =>
    key === null ? null : { key: Buffer.from(key).toString(), count: Number(Buffer.from(value ?? []).toString()) },
  onLoaded: state => ({ effects: [{ kind: 'notify', notice: `loaded ${state.counts.size}` }] }),
  handlers: {
    add: {
      kind: 'write',
      decide(state, { key, by, isPatient = false }, { ticket }) {
        const count = (state.counts.get(key) ?? 0) + by
        const effects = ticket === NO_TICKET ? [] : [{ kind: 'notify', notice: `${key}=${count}` } as const]
        return { records: [{ key, count }], reply: { value: count }, effects, isPatient }
      },
      refuse,
    },
    addAll: {
      kind: 'write',
      decide: (state, { keys, divisible = false }) => ({
        divisible,
        records: keys.map(key => ({ key, count: (state.counts.get(key) ?? 0) + 1 })),
        reply: { value: keys.length },
      }),
      refuse,
    },
    get: { kind: 'read', read: (state, { key }) => ({ value: state.counts.get(key) ?? 0 }), refuse },
    wait: { kind: 'write', decide: (_state, _request, { ticket }) => ({ soft: [{ waits: ticket }] }), refuse },
    go: {
      kind: 'write',
      decide: state => ({
        records: [{ key: 'went', count: (state.counts.get('went') ?? 0) + 1 }],
        soft: [{ nobodyWaits: true }],
        reply: { value: state.waiting.length },
        effects: state.waiting.map(ticket => ({ kind: 'reply', ticket, reply: { value: -1 } }) as const),
      }),
      refuse,
    },
    addLater: {
      kind: 'write',
      decide: (_state, { key, delayMs }) => ({
        reply: { value: 0 },
        effects: [{ kind: 'armTimer', key, delayMs, name: 'add', request: { key, by: 1 } }],
      }),
      refuse,
    },
    cancelLater: {
      kind: 'write',
      decide: (_state, { key }) => ({ reply: { value: 0 }, effects: [{ kind: 'cancelTimer', key }] }),
      refuse,
    },
    stage: {
      kind: 'write',
      decide: (state, { key, producerId }) => ({
        records: [{ key, count: (state.counts.get(key) ?? 0) + 1 }],
        transaction: { producerId, producerEpoch: 0 },
        reply: { value: 1 },
      }),
      refuse,
    },
  },
})
