// A transacting client of the load tool, in its own thread: one transaction after another, each begun at its intended time. Records of those that will be aborted are
// marked, so that a reader knows what it should never see.
import { type ClientResult, type ClientTask, counters } from './client-messages.ts'
import { Latencies } from './latencies.ts'
import type { TransactionPlan } from './load-plan.ts'
import { type LoadProducer, loadProducer } from './load-producer.ts'
import type { LoadRecord } from './load-record.records.ts'
import { intendedMs, isAborted, measuredFromMs, type Pace, shareOf } from './pacing.rules.ts'
import { type Go, pauseUntil } from './produce-client.ts'
import { preciseNow } from './wall-clock.ts'

interface Begun {
  /** Milliseconds since 1970. */
  readonly intended: number
  readonly startedMs: number
  /** Where the measured time begins if this is what is measured first. */
  readonly fromMs: number
  readonly isMeasured: boolean
  readonly willAbort: boolean
}

export class TransactionClient {
  readonly #task: ClientTask
  readonly #transaction: TransactionPlan
  readonly #sender: LoadProducer
  readonly #latencies = { delay: new Latencies(), commit: new Latencies(), transaction: new Latencies() }
  #acknowledged = 0
  #counts = { committed: 0, aborted: 0, records: 0 }
  #fromMs = 0
  #toMs = 0

  constructor(task: ClientTask, transaction: TransactionPlan, bootstrapServers: object) {
    this.#task = task
    this.#transaction = transaction
    const transactionalId = `odradek-load-${task.plan.runId}-${task.worker}`
    this.#sender = loadProducer(task, bootstrapServers, { transactionalId })
  }

  /** Resolves when the topic and the producer id are known. */
  async connect(): Promise<void> {
    await this.#sender.producer.partitionsFor(this.#task.plan.topic)
    await (await this.#sender.producer.begin()).abort()
  }

  async run({ startMs, measureMs, signal }: Go): Promise<ClientResult> {
    const { plan, worker } = this.#task
    const pace: Pace = { startMs, rate: plan.rate === null ? null : plan.rate / plan.workers }
    const all = plan.records === null ? Number.POSITIVE_INFINITY : Math.ceil(plan.records / this.#transaction.records)
    const total = plan.records === null ? all : shareOf(all, plan.workers, worker)
    const endMs = plan.records === null ? measureMs + plan.durationMs : Number.POSITIVE_INFINITY
    await pauseUntil(startMs)
    const loop = performance.eventLoopUtilization()
    let [measured, failure]: [number, unknown] = [0, null]
    for (let index = 0; measured < total && failure === null; index++) {
      const intended = intendedMs(pace, index, preciseNow())
      while (preciseNow() < intended && !signal.aborted) await pauseUntil(Math.min(intended, preciseNow() + PAUSE_MS))
      const startedMs = preciseNow()
      if (signal.aborted || startedMs >= endMs) break
      // As those who read its records judge them.
      const isMeasured = intended >= measureMs
      if (isMeasured) measured++
      const willAbort = isAborted(index, this.#transaction.abortShare)
      const fromMs = measuredFromMs(pace, intended, { sentMs: startedMs, measureMs })
      failure = await this.#run({ intended, startedMs, fromMs, isMeasured, willAbort }).then(
        () => null,
        thrown => thrown,
      )
    }
    return this.#result(performance.eventLoopUtilization(loop).active, failure)
  }

  close(): Promise<void> {
    return this.#sender.producer.close()
  }

  async #run(begun: Begun): Promise<void> {
    const { records } = this.#transaction
    const transaction = await this.#sender.producer.begin()
    for (const list of this.#records(begun)) void transaction.send(this.#sender.topic, list)
    this.#sender.live[counters.sent]! += records
    if (begun.willAbort) await transaction.abort()
    else {
      const askedMs = preciseNow()
      await transaction.commit()
      this.#committed(begun, askedMs)
    }
    if (!begun.isMeasured) return
    this.#counts[begun.willAbort ? 'aborted' : 'committed']++
    this.#latencies.delay.record(begun.startedMs - begun.intended)
    if (this.#fromMs === 0) this.#fromMs = begun.fromMs
    this.#toMs = preciseNow()
  }

  /** The transaction's records: a run of them for each partition. */
  #records({ intended, willAbort }: Begun): { readonly partition: number; readonly value: LoadRecord }[][] {
    const { partitions } = this.#task.plan
    const { records } = this.#transaction
    const first = Math.floor(this.#acknowledged / records) % partitions
    const lists: { readonly partition: number; readonly value: LoadRecord }[][] = []
    for (let turn = 0; turn < Math.min(partitions, records); turn++) {
      const partition = (first + turn) % partitions
      const sequence = () => (willAbort ? -1 : this.#sender.sequences[partition]!++)
      const count = shareOf(records, partitions, turn)
      lists.push(
        Array.from({ length: count }, () => ({ partition, value: { partition, sequence: sequence(), intended } })),
      )
    }
    return lists
  }

  #committed({ intended, isMeasured }: Begun, askedMs: number): void {
    const { records } = this.#transaction
    const now = preciseNow()
    this.#acknowledged += records
    this.#sender.live[counters.done]! += records
    this.#sender.live[counters.bytes]! += records * this.#task.plan.size
    if (!isMeasured) return
    this.#counts.records += records
    this.#latencies.commit.record(now - askedMs)
    this.#latencies.transaction.record(now - intended)
  }

  #result(busyMs: number, thrown: unknown): ClientResult {
    const { delay, commit, transaction } = this.#latencies
    return {
      role: 'produce',
      worker: this.#task.worker,
      records: this.#counts.records,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      acknowledged: this.#acknowledged,
      failed: thrown === null ? 0 : this.#transaction.records,
      failure: thrown === null ? null : thrown instanceof Error ? thrown.message : String(thrown),
      check: null,
      transactions: { ...this.#counts },
      latencies: { delay: delay.encoded(), commit: commit.encoded(), transaction: transaction.encoded() },
      busyMs,
    }
  }
}

/** An interrupt is looked for so often. */
const PAUSE_MS = 200
