// A consuming client of the load tool, in its own thread: reads its partitions, checks every number, and measures from the intended time to receipt.
import type { EventLoopUtilization } from 'node:perf_hooks'
import { type Consumer, createConsumer } from '@odradek/consumer'
import { topic } from '@odradek/shared/client/topic'
import { type ClientResult, type ClientTask, counters } from './client-messages.ts'
import { Latencies } from './latencies.ts'
import { loadDecoder } from './load-record.records.ts'
import type { Go } from './produce-client.ts'
import { SequenceCheck } from './sequence-check.rules.ts'
import { preciseNow } from './wall-clock.ts'

/** Without a rate every so-manieth record's latency is recorded: recording all would slow the reader down. */
const SAMPLE = 64
const LOOK_MS = 50

export class ConsumeClient {
  readonly #task: ClientTask
  readonly #consumer: Consumer
  readonly #topic
  readonly #live: Float64Array
  readonly #checks = new Map<number, SequenceCheck>()
  readonly #e2e = new Latencies()
  readonly #ends = new Map<number, number>()
  readonly #positions = new Map<number, number>()
  readonly #stop = new AbortController()
  readonly #sample: number
  #measureMs = Number.POSITIVE_INFINITY
  #nowMs = 0
  #records = 0
  #aborted = 0
  #looking: ReturnType<typeof setInterval> | null = null
  #measured = 0
  #fromMs = 0
  #toMs = 0

  constructor(task: ClientTask, bootstrapServers: object) {
    const { plan, worker } = task
    this.#task = task
    this.#sample = plan.rate === null ? SAMPLE : 1
    this.#topic = topic(plan.topic, { value: loadDecoder(plan.runId, (...numbers) => this.#take(...numbers)) })
    this.#live = new Float64Array(task.counters)
    this.#consumer = createConsumer({
      ...bootstrapServers,
      clientId: `odradek-load-${worker}`,
      autoOffsetReset: 'earliest',
      isolationLevel: plan.kind === 'txn' ? 'readCommitted' : 'readUncommitted',
    } as never)
  }

  /** Resolves when reading has begun where it should. */
  async connect(): Promise<void> {
    const { partitions, plan } = this.#task
    const assigned = partitions.map(({ partition, start }) => ({ topic: this.#topic, partition, offset: start }))
    for (const { partition, start } of partitions) this.#positions.set(partition, start)
    await this.#consumer.assign(assigned)
    if (plan.kind === 'consume')
      this.#consumer.pause(partitions.map(({ partition }) => ({ topic: plan.topic, partition })))
  }

  /** What was sent ends here: reading ends when all of it has come. */
  endAt(ends: readonly number[]): void {
    for (const { partition } of this.#task.partitions) this.#ends.set(partition, ends[partition]!)
    // What ends with a transaction's marker ends without a batch: the position says so.
    if (this.#task.plan.kind === 'txn') this.#looking = setInterval(() => void this.#look(), LOOK_MS)
    this.#stopAtEnd()
  }

  async run(go: Go): Promise<ClientResult> {
    const { partitions, plan } = this.#task
    this.#measureMs = go.measureMs
    const loop = performance.eventLoopUtilization()
    this.#fromMs = plan.kind === 'consume' ? preciseNow() : 0
    if (plan.kind === 'consume')
      this.#consumer.resume(partitions.map(({ partition }) => ({ topic: plan.topic, partition })))
    const signal = AbortSignal.any([go.signal, this.#stop.signal])
    await this.#consumer.batch(
      undefined,
      batch => {
        const { partition } = batch
        this.#nowMs = preciseNow()
        const count = batch.forEach(record => void record.value)
        this.#positions.set(partition, Number(batch.nextOffset))
        this.#live[counters.done]! += count
        this.#live[counters.bytes]! += count * plan.size
        this.#stopAtEnd()
      },
      { signal },
    )
    return this.#result(loop)
  }

  close(): Promise<void> {
    if (this.#looking !== null) clearInterval(this.#looking)
    return this.#consumer.close()
  }

  #take(worker: number, partition: number, sequence: number, intended: number): void {
    if (sequence < 0) {
      this.#aborted++
      return
    }
    const id = worker * 65_536 + partition
    let check = this.#checks.get(id)
    if (check === undefined) {
      check = new SequenceCheck()
      this.#checks.set(id, check)
    }
    check.take(sequence)
    this.#records++
    if (this.#task.plan.kind === 'consume') {
      this.#measured++
      this.#toMs = this.#nowMs
      return
    }
    if (intended < this.#measureMs) return
    if (this.#fromMs === 0) this.#fromMs = this.#nowMs
    this.#measured++
    this.#toMs = this.#nowMs
    if (this.#records % this.#sample === 0) this.#e2e.record(preciseNow() - intended)
  }

  async #look(): Promise<void> {
    const name = this.#task.plan.topic
    for (const { partition } of this.#task.partitions) {
      const position = await this.#consumer.position({ topic: name, partition }).catch(() => null)
      if (position !== null) this.#positions.set(partition, Number(position))
    }
    this.#stopAtEnd()
  }

  #stopAtEnd(): void {
    if (this.#ends.size === 0) return
    for (const [partition, end] of this.#ends) if (this.#positions.get(partition)! < end) return
    this.#stop.abort()
  }

  #result(before: EventLoopUtilization): ClientResult {
    const all = [...this.#checks.values()].map(({ figures }) => figures)
    const sum = (of: (figures: SequenceCheck['figures']) => number) => all.reduce((total, each) => total + of(each), 0)
    return {
      role: 'consume',
      worker: this.#task.worker,
      records: this.#measured,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      acknowledged: 0,
      failed: 0,
      failure: null,
      check: {
        received: sum(({ received }) => received),
        duplicated: sum(({ duplicated }) => duplicated),
        disordered: sum(({ disordered }) => disordered),
        aborted: this.#aborted,
      },
      transactions: null,
      latencies: { e2e: this.#e2e.encoded() },
      busyMs: performance.eventLoopUtilization(before).active,
    }
  }
}
