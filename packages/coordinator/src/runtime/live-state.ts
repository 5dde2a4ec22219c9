// The state of one shard as it stands: what the log says, plus what is decided and not yet committed. Only here do `replay` and
// `applySoft` run, so that loading and living cannot differ. Called by the shard runner only.
import { assert } from '@odradek/shared/base/assert'
import type { Clock } from '@odradek/shared/base/clock'
import type { ArmTimerEffect } from './effects.ts'
import type {
  Consequences,
  Decision,
  EndTransactionMarker,
  RecordMeta,
  ShardDefinition,
  ShardTypes,
  WordsOf,
} from './shard.ts'
import { TimerTable } from './timer-table.ts'

/** Called when a timer of the shard fires. */
export type Fire<T extends ShardTypes> = (name: WordsOf<T>, request: unknown) => void

export class LiveState<T extends ShardTypes> {
  readonly timers: TimerTable
  readonly #definition: ShardDefinition<T>
  readonly #fire: Fire<T>
  #value: T['state']
  #nextOffset = 0
  #unknownRecords = 0

  constructor(definition: ShardDefinition<T>, clock: Clock, fire: Fire<T>) {
    this.#definition = definition
    this.#fire = fire
    this.timers = new TimerTable(clock)
    this.#value = definition.initial()
  }

  get value(): T['state'] {
    return this.#value
  }

  /** Offset of the next record that is decided. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Records skipped while loading because this version does not know their kind. */
  get unknownRecords(): number {
    return this.#unknownRecords
  }

  /** Empty, as before the first record. */
  reset(): void {
    this.#value = this.#definition.initial()
    this.#unknownRecords = 0
  }

  /** The log ends here: after loading, and after appends whose length only the leader knows. */
  moveTo(nextOffset: number): void {
    this.#nextOffset = nextOffset
  }

  /** One record of the log. The views end with the call. */
  load(key: Uint8Array | null, value: Uint8Array | null, meta: RecordMeta): void {
    const record = this.#definition.decodeRecord(key, value)
    if (record === null) this.#unknownRecords++
    else this.#definition.replay(this.#value, record, meta)
  }

  endTransaction(marker: EndTransactionMarker): void {
    this.#definition.replayEndTransactionMarker?.(this.#value, marker)
  }

  /** Becomes what was decided: records, soft changes, timers. Returns the decision with its consequences. */
  become(decision: Decision<T>, timestamp: number): Decision<T> {
    const { records = [], transaction } = decision
    const producerId = transaction?.producerId ?? -1
    const producerEpoch = transaction?.producerEpoch ?? -1
    const transactional = transaction !== undefined
    for (const record of records) {
      const meta = { offset: this.#nextOffset, timestamp, transactional, producerId, producerEpoch }
      this.#definition.replay(this.#value, record, meta)
      this.#nextOffset++
    }
    for (const change of decision.soft ?? []) this.#applySoft(change)
    const whole = decision.after === undefined ? decision : withConsequences(decision, decision.after(this.#value))
    for (const effect of whole.effects ?? []) {
      if (effect.kind === 'armTimer') this.#arm(effect)
      else if (effect.kind === 'cancelTimer') this.timers.cancel(effect.key)
    }
    return whole
  }

  #applySoft(change: T['soft']): void {
    assert(this.#definition.applySoft !== undefined, 'a shard that returns soft changes can apply them')
    this.#definition.applySoft(this.#value, change)
  }

  #arm(effect: ArmTimerEffect<T>): void {
    // The compiler does not resolve a union over the words of a T that it does not know.
    const { key, delayMs, name, request, unlessArmed } = effect as {
      key: string
      delayMs: number
      name: WordsOf<T>
      request: unknown
      unlessArmed?: true
    }
    if (unlessArmed && this.timers.isArmed(key)) return
    this.timers.arm(key, delayMs, () => this.#fire(name, request))
  }
}

/** What is left to be done of a decision when its records are on their way. */
function withConsequences<T extends ShardTypes>(decision: Decision<T>, more: Consequences<T>): Decision<T> {
  const effects = [...(decision.effects ?? []), ...(more.effects ?? [])]
  const { isPatient = false } = decision
  if ('reply' in more) return { isPatient, effects, reply: more.reply }
  return 'reply' in decision ? { isPatient, effects, reply: decision.reply } : { isPatient, effects }
}
