// One load run: starts client threads, sets them off together, shows every second, tells consumers where the end is, and adds up what they measured.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { Piscina } from 'piscina'
import { type ClientResult, type ClientTask, counters, type ToClient } from './client-messages.ts'
import { environmentOf } from './environment.ts'
import { Latencies, latencyKinds } from './latencies.ts'
import type { LoadCluster } from './load-cluster.ts'
import type { LoadPlan } from './load-plan.ts'
import {
  checksOf,
  type LoadResult,
  type SecondOfLoad,
  threadFigures,
  totalsOf,
  transactionsOf,
} from './load-result.rules.ts'
import { judge, type Threshold } from './thresholds.rules.ts'
import { preciseNow } from './wall-clock.ts'

export interface LoadRunOptions {
  readonly cluster: LoadCluster
  readonly plan: LoadPlan
  readonly thresholds: readonly Threshold[]
  readonly signal: AbortSignal
  /** Called once per second. */
  readonly second: (figures: SecondOfLoad) => void
}

interface Client {
  readonly task: Omit<ClientTask, 'target'>
  readonly port: MessagePort
  readonly live: Float64Array
  readonly result: Promise<ClientResult>
}

/** Time between `go` and the first record, so that all threads hear of it. */
const HEAD_START_MS = 50
/** How long consumers may go without a record after the last was sent before the rest counts as lost. */
const STALL_MS = 30_000

/** `consume` reads what is in the topic already: fill it first. */
export async function runLoad(options: LoadRunOptions): Promise<LoadResult> {
  const { plan, cluster, signal } = options
  const roles =
    plan.kind === 'produce'
      ? (['produce'] as const)
      : plan.kind === 'consume'
        ? (['consume'] as const)
        : (['consume', 'produce'] as const)
  const pool = new Piscina({
    filename: builtUrl(new URL('./load-client.worker.ts', import.meta.url).href),
    name: 'loadClient',
    minThreads: 0,
    maxThreads: plan.workers * roles.length,
    idleTimeout: 60_000,
    atomics: 'disabled',
  })
  try {
    const starts = roles.length > 1 ? await cluster.ends(plan.topic) : await cluster.beginnings(plan.topic)
    const clients = roles.flatMap(role => start(pool, options, role, starts))
    await Promise.all(clients.map(isReady))
    const result = await drive(options, clients)
    if (!signal.aborted) await pool.close()
    return result
  } finally {
    // After a failure nobody waits for what the others would still do; nothing durable lives in these threads.
    await pool.destroy()
  }
}

function start(
  pool: Piscina,
  { plan, cluster }: LoadRunOptions,
  role: ClientTask['role'],
  starts: readonly number[],
): Client[] {
  return Array.from({ length: plan.workers }, (_, worker) => {
    const { port1: port, port2 } = new MessageChannel()
    const target = cluster.target()
    const partitions = starts
      .map((each, partition) => ({ partition, start: each }))
      .filter(({ partition }) => partition % plan.workers === worker)
    const memory = new SharedArrayBuffer(counters.length * Float64Array.BYTES_PER_ELEMENT)
    const task: ClientTask = { role, worker, plan, target, port: port2, counters: memory, partitions }
    const transferList = target.kind === 'embedded' ? [port2, target.ticket.port] : [port2]
    const result: Promise<ClientResult> = pool.run(task, { transferList: transferList as never })
    result.catch(() => undefined)
    return { task, port, live: new Float64Array(memory), result }
  })
}

function isReady({ port, result }: Client): Promise<void> {
  return Promise.race([
    new Promise<void>(resolve => port.once('message', () => resolve())),
    result.then(() => Promise.reject(new Error('a client ended before it began'))),
  ])
}

async function drive(
  { plan, cluster, thresholds, signal, second }: LoadRunOptions,
  clients: readonly Client[],
): Promise<LoadResult> {
  const say = (message: ToClient, to = clients) => {
    for (const { port } of to) port.postMessage(message)
  }
  const startMs = preciseNow() + HEAD_START_MS
  const measureMs = startMs + plan.warmupMs
  say({ type: 'go', startMs, measureMs })
  signal.addEventListener('abort', () => say({ type: 'stop' }), { once: true })
  const cpu = process.cpuUsage()
  const { series, stop } = watch(clients, { startMs, measureMs }, second)
  const producers = clients.filter(({ task }) => task.role === 'produce')
  const consumers = clients.filter(({ task }) => task.role === 'consume')
  try {
    const produced = await Promise.all(producers.map(({ result }) => result))
    say({ type: 'ends', ends: await cluster.ends(plan.topic) }, consumers)
    const consumed = await untilStall(consumers, () => say({ type: 'stop' }, consumers))
    return assemble(
      { plan, thresholds, series, target: cluster.name },
      [...produced, ...consumed],
      process.cpuUsage(cpu),
    )
  } finally {
    stop()
    for (const { port } of clients) port.close()
  }
}

/** Consumers' results; who receives nothing more for a while is told to stop. */
async function untilStall(consumers: readonly Client[], stop: () => void): Promise<ClientResult[]> {
  let [received, since] = [-1, preciseNow()]
  const timer = setInterval(() => {
    const now = consumers.reduce((sum, { live }) => sum + live[counters.done]!, 0)
    if (now !== received) since = preciseNow()
    else if (preciseNow() - since > STALL_MS) stop()
    received = now
  }, 500)
  try {
    return await Promise.all(consumers.map(({ result }) => result))
  } finally {
    clearInterval(timer)
  }
}

function watch(
  clients: readonly Client[],
  { startMs, measureMs }: { readonly startMs: number; readonly measureMs: number },
  second: (figures: SecondOfLoad) => void,
): { readonly series: SecondOfLoad[]; stop(): void } {
  const series: SecondOfLoad[] = []
  const total = (role: string, counter: number) =>
    clients.reduce((sum, { task, live }) => sum + (task.role === role ? live[counter]! : 0), 0)
  let before = { sent: 0, acknowledged: 0, received: 0 }
  const timer = setInterval(() => {
    const now = preciseNow()
    const figures = {
      sent: total('produce', counters.sent),
      acknowledged: total('produce', counters.done),
      received: total('consume', counters.done),
    }
    const each = {
      t: Math.round((now - startMs) / 1_000),
      warmup: now < measureMs,
      sent: figures.sent - before.sent,
      acknowledged: figures.acknowledged - before.acknowledged,
      received: figures.received - before.received,
    }
    before = figures
    series.push(each)
    second(each)
  }, 1_000)
  return { series, stop: () => clearInterval(timer) }
}

function assemble(
  {
    plan,
    thresholds,
    series,
    target,
  }: Pick<LoadRunOptions, 'plan' | 'thresholds'> & {
    readonly series: readonly SecondOfLoad[]
    readonly target: string
  },
  results: readonly ClientResult[],
  cpu: NodeJS.CpuUsage,
): LoadResult {
  const measured = {
    schema: 'odradek-load/1' as const,
    kind: plan.kind,
    plan,
    totals: totalsOf(results, plan.size, cpu),
    transactions: transactionsOf(results),
    latencyMs: latenciesOf(results),
    perThread: threadFigures(results, plan.size),
    series,
    checks: plan.kind === 'produce' ? null : checksOf(results),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    failure: results.find(({ failure }) => failure !== null)?.failure ?? null,
    environment: environmentOf(target),
  }
  return { ...measured, thresholds: thresholds.map(threshold => judge(threshold, measured)) }
}

function latenciesOf(results: readonly ClientResult[]): LoadResult['latencyMs'] {
  return Object.fromEntries(
    latencyKinds.flatMap(kind => {
      const all = new Latencies()
      for (const { latencies } of results) all.add(latencies[kind] ?? null)
      return all.count === 0 ? [] : [[kind, all.figures()]]
    }),
  )
}
