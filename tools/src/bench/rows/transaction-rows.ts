// Rows about exactly once, in-process: small transactions one after another, pipelines, what transactions cost a busy producer, and how fast a coordinator
// comes back with many transactional ids.
import { createProducer, type Producer } from '@odradek/producer'
import { bytes } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import type { BrokerOptions } from '../../index.ts'
import { Latencies } from '../../load/latencies.ts'
import { pipeline } from '../../pipeline/pipeline.ts'
import { benchBroker } from '../bench-broker.ts'
import { inDirectory } from '../bench-directory.ts'
import { atLeast, atMost, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { median } from '../median.rules.ts'
import { probe, startProbe } from '../probe.ts'

const [IN, OUT] = [topic('in', { value: bytes() }), topic('out', { value: bytes() })]
const VALUE = Buffer.alloc(100, 'x')

interface Sequence {
  readonly perSecond: number
  /** While V8 has not compiled the code yet. */
  readonly coldPerSecond: number
  readonly commitP50: number
  readonly commitP99: number
}

/** V8 compiles for about as long: what a broker does all day is what comes after. */
const WARM_TRANSACTIONS = 3_000
const TRANSACTIONS = 3_000
/** Threads that the rows are measured with, too: what crossings cost. */
const SPREAD = 4

/** Transactions of one record, each committed before the next begins. */
function sequence(options: Pick<BrokerOptions, 'threads' | 'busyPoll'>): Promise<Sequence> {
  return inDirectory(async dir => {
    await using broker = await benchBroker({ dir, listen: false, topics: { out: 1 }, ...options })
    await using producer = createProducer({ bootstrapServers: broker, transactionalId: 'bench', lingerMs: 0 })
    const one = async () => {
      const transaction = await producer.begin()
      void transaction.send(OUT, { value: VALUE })
      const asked = performance.now()
      await transaction.commit()
      return performance.now() - asked
    }
    const rate = async (count: number, commits: Latencies) => {
      const startedAt = performance.now()
      for (let index = 0; index < count; index++) commits.record(await one())
      return (count * 1_000) / (performance.now() - startedAt)
    }
    const coldPerSecond = await rate(WARM_TRANSACTIONS, new Latencies())
    const commits = new Latencies()
    const perSecond = await rate(TRANSACTIONS, commits)
    const { p50, p99 } = commits.figures()
    return { perSecond, coldPerSecond, commitP50: p50, commitP99: p99 }
  })
}

async function transactions(): Promise<BenchFigure[]> {
  const usual: Sequence[] = []
  const looking: Sequence[] = []
  const spread: Sequence[] = []
  for (let round = 0; round < 3; round++) {
    usual.push(await sequence({}))
    looking.push(await sequence({ busyPoll: 'all' }))
    spread.push(await sequence({ threads: SPREAD }))
  }
  const of = (runs: readonly Sequence[], figure: keyof Sequence) => median(runs.map(run => run[figure]))
  return [
    atLeast('transactions/s', of(usual, 'perSecond'), 5_000),
    reported('commit p50 ms', of(usual, 'commitP50')),
    atMost('commit p99 ms', of(usual, 'commitP99'), 3),
    reported('the first 3,000: transactions/s', of(usual, 'coldPerSecond')),
    reported("busyPoll 'all': transactions/s", of(looking, 'perSecond')),
    reported("busyPoll 'all': commit p50 ms", of(looking, 'commitP50')),
    reported("busyPoll 'all': commit p99 ms", of(looking, 'commitP99')),
    reported('four threads: transactions/s', of(spread, 'perSecond')),
    reported('four threads: commit p50 ms', of(spread, 'commitP50')),
    reported('four threads: commit p99 ms', of(spread, 'commitP99')),
  ]
}

const PIPELINE_SECONDS = 3

interface PipelineSpeed {
  readonly recordsPerSecond: number
  /** While V8 has not compiled the code yet. */
  readonly coldPerSecond: number
  /** Of all threads, microseconds per record. */
  readonly cpuUs: number
}

/** A warm pipeline does as many in its seconds. */
const PIPELINE_TRANSACTIONS = 8_000

/** Through a pipeline of one function, from a topic that was filled before; 100 B, 4 partitions to 4. `threads` undefined: the default. */
function throughPipeline(commitEvery: number, threads?: number): Promise<PipelineSpeed> {
  return inDirectory(async dir => {
    const records = PIPELINE_TRANSACTIONS * commitEvery
    const topics = { in: 4, out: 4 }
    await using broker = await benchBroker({ dir, listen: false, topics, ...(threads ? { threads } : {}) })
    {
      await using producer = createProducer({ bootstrapServers: broker, batchSize: 65_536 })
      await fill(producer, IN, records)
    }
    const options = { bootstrapServers: broker, transactionalId: 'bench', groupId: 'bench' }
    await using running = pipeline(IN, OUT, ({ value }) => ({ value }), {
      ...options,
      commitEvery: { records: commitEvery, ms: 1_000 },
      consumer: { autoOffsetReset: 'earliest' },
    })
    const committed = () => running.metrics().transactions * commitEvery
    await until(() => committed() > 0)
    const coldAt = performance.now()
    await until(() => committed() >= WARM_TRANSACTIONS * commitEvery)
    const coldPerSecond = committed() / ((performance.now() - coldAt) / 1_000)
    const from = committed()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const endAt = startedAt + PIPELINE_SECONDS * 1_000
    await until(() => performance.now() > endAt || committed() > records * 0.95)
    const count = committed() - from
    const { user, system } = process.cpuUsage(cpu)
    return {
      recordsPerSecond: count / ((performance.now() - startedAt) / 1_000),
      coldPerSecond,
      cpuUs: (user + system) / count,
    }
  })
}

async function fill(producer: Producer, to: typeof IN, records: number): Promise<void> {
  const array = Array.from({ length: 500 }, () => ({ value: VALUE }))
  const inFlight: Promise<unknown>[] = []
  for (let sent = 0; sent < records; sent += array.length) {
    inFlight.push(producer.send(to, array))
    if (inFlight.length >= 64) await inFlight.shift()
  }
  await Promise.all(inFlight)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
}

async function pipelines(): Promise<BenchFigure[]> {
  const runs = { hundreds: [], thousands: [], hundredsSpread: [], thousandsSpread: [] } as {
    [name in 'hundreds' | 'thousands' | 'hundredsSpread' | 'thousandsSpread']: PipelineSpeed[]
  }
  for (let round = 0; round < 3; round++) {
    runs.hundreds.push(await throughPipeline(100))
    runs.thousands.push(await throughPipeline(1_000))
    runs.hundredsSpread.push(await throughPipeline(100, SPREAD))
    runs.thousandsSpread.push(await throughPipeline(1_000, SPREAD))
  }
  const of = (run: keyof typeof runs, figure: keyof PipelineSpeed) => median(runs[run].map(each => each[figure]))
  return [
    atLeast('transactions of 100: records/s', of('hundreds', 'recordsPerSecond'), 200_000),
    reported('transactions of 100: cpu us/record', of('hundreds', 'cpuUs')),
    reported('transactions of 100: the first 3,000: records/s', of('hundreds', 'coldPerSecond')),
    atLeast('transactions of 1,000: records/s', of('thousands', 'recordsPerSecond'), 600_000),
    reported('transactions of 1,000: cpu us/record', of('thousands', 'cpuUs')),
    reported('transactions of 1,000: the first 3,000: records/s', of('thousands', 'coldPerSecond')),
    reported('four threads: transactions of 100: records/s', of('hundredsSpread', 'recordsPerSecond')),
    reported('four threads: transactions of 100: cpu us/record', of('hundredsSpread', 'cpuUs')),
    reported('four threads: transactions of 1,000: records/s', of('thousandsSpread', 'recordsPerSecond')),
    reported('four threads: transactions of 1,000: cpu us/record', of('thousandsSpread', 'cpuUs')),
  ]
}

const PRODUCE_MS = 3_000
const TRANSACTION_MS = 100
/** Enough to keep the threads busy; all of it is waited for at every commit. */
const ARRAYS_IN_FLIGHT = 16

/** Records per second of array sends for some seconds, in transactions of 100 ms or without. */
function produce(transactional: boolean): Promise<number> {
  return inDirectory(async dir => {
    await using broker = await benchBroker({ dir, listen: false, topics: { out: 4 } })
    const id = transactional ? { transactionalId: 'bench' } : {}
    await using producer = createProducer({ bootstrapServers: broker, batchSize: 65_536, ...id })
    const array = Array.from({ length: 500 }, () => ({ value: VALUE }))
    const sendFor = async (ms: number, to: Pick<Producer, 'send'>) => {
      const inFlight: Promise<unknown>[] = []
      let sent = 0
      for (const endAt = performance.now() + ms; performance.now() < endAt; sent += array.length) {
        inFlight.push(to.send(OUT, array))
        if (inFlight.length >= ARRAYS_IN_FLIGHT) await inFlight.shift()
      }
      return sent
    }
    const sendAll = async (ms: number) => {
      if (!transactional) {
        const sent = await sendFor(ms, producer)
        await producer.flush()
        return sent
      }
      let sent = 0
      for (const endAt = performance.now() + ms; performance.now() < endAt; )
        sent += await producer.transaction(transaction => sendFor(TRANSACTION_MS, transaction))
      return sent
    }
    await sendAll(500)
    const startedAt = performance.now()
    const sent = await sendAll(PRODUCE_MS)
    return sent / ((performance.now() - startedAt) / 1_000)
  })
}

async function transactionalProduce(): Promise<BenchFigure[]> {
  const pairs: { readonly idempotent: number; readonly transactional: number }[] = []
  for (let round = 0; round < 3; round++)
    pairs.push({ idempotent: await produce(false), transactional: await produce(true) })
  return [
    reported('idempotent records/s', median(pairs.map(({ idempotent }) => idempotent))),
    reported('transactional records/s', median(pairs.map(({ transactional }) => transactional))),
    atLeast(
      'transactional of idempotent',
      median(pairs.map(({ idempotent, transactional }) => transactional / idempotent)),
      0.9,
    ),
  ]
}

const IDS = '100000'

function recovery(): Promise<BenchFigure[]> {
  return inDirectory(async dir => {
    const { child, line } = startProbe('fill-ids', [dir, IDS])
    const { idsPerSecond } = await line
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    const { startMs, loadedMs, ids } = await probe('load-ids', dir)
    return [
      reported('transactional ids initialised /s', idsPerSecond!),
      reported('ids after the load', ids!),
      reported('createBroker ms', startMs!),
      atMost('all coordinators answer s', loadedMs! / 1_000, 3),
    ]
  })
}

export const transactionRows: readonly BenchRow[] = [
  { name: 'transactions', what: 'transactions of one record, one after another', run: transactions },
  {
    name: 'pipeline',
    what: 'consume, transform, produce exactly once, one thread of user code, 100 B',
    run: pipelines,
  },
  {
    name: 'txn-produce',
    what: 'array sends of 500 in transactions of 100 ms, against none',
    run: transactionalProduce,
  },
  { name: 'txn-recovery', what: 'start with 100,000 transactional ids in the log, after a SIGKILL', run: recovery },
]
