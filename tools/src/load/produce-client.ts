// A producing client of the load tool, in its own thread: sends numbered records at their intended times and measures what that takes.
import type { EventLoopUtilization } from 'node:perf_hooks'
import { type ClientResult, type ClientTask, counters } from './client-messages.ts'
import { Latencies } from './latencies.ts'
import { type LoadProducer, loadProducer } from './load-producer.ts'
import type { LoadRecord } from './load-record.records.ts'
import { dueRecords, intendedMs, measuredFromMs, type Pace, shareOf } from './pacing.rules.ts'
import { preciseNow } from './wall-clock.ts'

export interface Go {
  readonly startMs: number
  readonly measureMs: number
  /** Aborted when the run is interrupted. */
  readonly signal: AbortSignal
}

export class ProduceClient {
  readonly #task: ClientTask
  readonly #sender: LoadProducer
  readonly #delay = new Latencies()
  readonly #publish = new Latencies()
  #outstanding = 0
  #slot: (() => void) | null = null
  #acknowledged = 0
  #measured = 0
  #failed = 0
  #failure: string | null = null
  #fromMs = 0
  #toMs = 0

  constructor(task: ClientTask, bootstrapServers: object) {
    this.#task = task
    this.#sender = loadProducer(task, bootstrapServers, { acks: task.plan.acks })
  }

  /** Resolves when the topic is known. */
  async connect(): Promise<void> {
    await this.#sender.producer.partitionsFor(this.#task.plan.topic)
  }

  async run(go: Go): Promise<ClientResult> {
    const { plan, worker } = this.#task
    const rate = plan.rate === null ? null : plan.rate / plan.workers
    const pace: Pace = { startMs: go.startMs, rate }
    const total = plan.records === null ? Number.POSITIVE_INFINITY : shareOf(plan.records, plan.workers, worker)
    const endMs = plan.records === null ? go.measureMs + plan.durationMs : Number.POSITIVE_INFINITY
    await pauseUntil(go.startMs)
    const loop = performance.eventLoopUtilization()
    let [sent, measuring] = [0, 0]
    while (measuring < total && !go.signal.aborted && this.#failure === null) {
      const now = preciseNow()
      if (now >= endMs) break
      const due = Math.min(plan.sendRecords, dueRecords(pace, now) - sent, total - measuring)
      if (due < 1) await pauseUntil(Math.max(go.startMs, intendedMs(pace, sent, now)))
      else if (this.#outstanding + due > plan.inFlightMax && this.#outstanding > 0) await this.#room()
      else {
        this.#send(pace, sent, due, go.measureMs)
        sent += due
        if (now >= go.measureMs) measuring += due
      }
    }
    await this.#sender.producer.flush()
    while (this.#outstanding > 0) await this.#room()
    return this.#result(loop)
  }

  close(): Promise<void> {
    return this.#sender.producer.close()
  }

  #send(pace: Pace, first: number, count: number, measureMs: number): void {
    const { sendRecords, partitions } = this.#task.plan
    const partition = Math.floor(first / Math.max(1, Math.min(sendRecords, count))) % partitions
    const now = preciseNow()
    const isMeasured = now >= measureMs
    const records: { readonly partition: number; readonly value: LoadRecord }[] = []
    for (let index = 0; index < count; index++) {
      const intended = intendedMs(pace, first + index, now)
      records.push({ partition, value: { partition, sequence: this.#sender.sequences[partition]!++, intended } })
      if (isMeasured && pace.rate !== null) this.#delay.record(now - intended)
    }
    if (isMeasured && pace.rate === null) this.#delay.record(0, count)
    if (isMeasured && this.#fromMs === 0)
      this.#fromMs = measuredFromMs(pace, intendedMs(pace, first, now), { sentMs: now, measureMs })
    this.#outstanding += count
    this.#sender.live[counters.sent]! += count
    const promise: Promise<unknown> =
      count === 1
        ? this.#sender.producer.send(this.#sender.topic, records[0]!)
        : this.#sender.producer.send(this.#sender.topic, records)
    promise.then(
      () => this.#done(records, now, isMeasured, pace),
      error => this.#lost(count, error),
    )
  }

  #done(records: readonly { readonly value: LoadRecord }[], sentMs: number, isMeasured: boolean, pace: Pace): void {
    const now = preciseNow()
    const count = records.length
    this.#acknowledged += count
    this.#sender.live[counters.done]! += count
    this.#sender.live[counters.bytes]! += count * this.#task.plan.size
    if (isMeasured) {
      this.#measured += count
      this.#toMs = now
      if (pace.rate === null) this.#publish.record(now - sentMs, count)
      else for (const { value } of records) this.#publish.record(now - value.intended)
    }
    this.#free(count)
  }

  #lost(count: number, error: unknown): void {
    this.#failed += count
    this.#failure ??= error instanceof Error ? error.message : String(error)
    this.#free(count)
  }

  #free(count: number): void {
    this.#outstanding -= count
    this.#slot?.()
    this.#slot = null
  }

  #room(): Promise<void> {
    return new Promise(resolve => {
      this.#slot = resolve
    })
  }

  #result(before: EventLoopUtilization): ClientResult {
    return {
      role: 'produce',
      worker: this.#task.worker,
      records: this.#measured,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      failure: this.#failure,
      check: null,
      transactions: null,
      latencies: { delay: this.#delay.encoded(), publish: this.#publish.encoded() },
      busyMs: performance.eventLoopUtilization(before).active,
    }
  }
}

/** Timers are this coarse; what is nearer is waited for in turns of the loop. */
const TIMER_MS = 2

/** Resolves at the time (milliseconds since 1970), or a little after it. */
export async function pauseUntil(timeMs: number): Promise<void> {
  const left = timeMs - preciseNow()
  if (left > TIMER_MS) await new Promise(resolve => setTimeout(resolve, left - 1))
  else if (left > 0) await new Promise(resolve => setImmediate(resolve))
}
