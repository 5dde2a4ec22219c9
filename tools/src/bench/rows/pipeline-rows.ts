// Rows about the road of a record: public API against the bare pipeline, in one run, alternating.
import { barePipeline, type PipelineFigures } from '../bare-pipeline.ts'
import { atLeast, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { median } from '../median.rules.ts'
import { type PublicLoad, publicPipeline, sendAwaited, sendEnqueued } from '../public-pipeline.ts'

const ROUNDS = 3
/** Some seconds of each load: in shorter ones V8 compiles for a good part of the time. */
const BASE = { records: 6_000_000, valueBytes: 100, partitions: 4, batchBytes: 65_536 }

async function rounds<T>(run: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let round = 0; round < ROUNDS; round++) results.push(await run())
  return results
}

/** All threads together. On a machine that others use, too, this is the figure that stays. */
const cpuOf = ({ cpuUser, cpuSystem }: PipelineFigures) => cpuUser + cpuSystem

async function arrays(): Promise<BenchFigure[]> {
  const pairs = await rounds(async () => ({ bare: await barePipeline(BASE), ours: await publicPipeline(BASE) }))
  const middle = (of: (pair: (typeof pairs)[number]) => number) => median(pairs.map(of))
  const ours = middle(pair => pair.ours.recordsPerSecond)
  return [
    atLeast('records/s', ours, 2_000_000),
    reported(
      'bare records/s',
      middle(pair => pair.bare.recordsPerSecond),
    ),
    atLeast(
      'of bare',
      middle(pair => pair.ours.recordsPerSecond / pair.bare.recordsPerSecond),
      0.4,
    ),
    reported(
      'cpu us/record',
      middle(({ ours: each }) => cpuOf(each)),
    ),
    reported(
      'bare cpu us/record',
      middle(({ bare }) => cpuOf(bare)),
    ),
    atLeast(
      'of bare, by cpu',
      middle(pair => cpuOf(pair.bare) / cpuOf(pair.ours)),
      0.4,
    ),
  ]
}

async function perRecord(): Promise<BenchFigure[]> {
  const load = { ...BASE, records: 4_000_000 }
  const enqueued = await rounds(() => publicPipeline({ ...load, send: sendEnqueued }))
  const awaited = await rounds(() => publicPipeline({ ...load, records: 2_000_000, send: sendAwaited }))
  return [
    atLeast('enqueue records/s', median(enqueued.map(each => each.recordsPerSecond)), 1_500_000),
    atLeast('promise per record records/s', median(awaited.map(each => each.recordsPerSecond)), 600_000),
  ]
}

async function kilobyte(): Promise<BenchFigure[]> {
  const load = { ...BASE, records: 1_000_000, valueBytes: 1_024 }
  const pairs = await rounds(async () => ({ bare: await barePipeline(load), ours: await publicPipeline(load) }))
  const megabytes = (recordsPerSecond: number) => (recordsPerSecond * load.valueBytes) / 1e6
  return [
    atLeast('MB/s', median(pairs.map(pair => megabytes(pair.ours.recordsPerSecond))), 300),
    reported('bare MB/s', median(pairs.map(pair => megabytes(pair.bare.recordsPerSecond)))),
    reported('of bare', median(pairs.map(pair => pair.ours.recordsPerSecond / pair.bare.recordsPerSecond))),
  ]
}

/** The same two loads when every thread has compiled what it runs: the first rows end before that (`BENCHMARKS.md` says what it costs). */
async function steady(): Promise<BenchFigure[]> {
  const small = { ...BASE, records: 5_000_000, warmUp: 10_000_000 }
  const large = { ...BASE, records: 750_000, warmUp: 1_500_000, valueBytes: 1_024 }
  const figures: BenchFigure[] = []
  for (const load of [small, large]) {
    const [bare, ours] = [await barePipeline(load), await publicPipeline(load)]
    const size = `${load.valueBytes} B`
    figures.push(
      reported(`${size}: records/s`, ours.recordsPerSecond),
      atLeast(`${size}: of bare`, ours.recordsPerSecond / bare.recordsPerSecond, 0.4),
      reported(`${size}: cpu us/record`, cpuOf(ours)),
      reported(`${size}: bare cpu us/record`, cpuOf(bare)),
      atLeast(`${size}: of bare, by cpu`, cpuOf(bare) / cpuOf(ours), 0.4),
    )
  }
  return figures
}

/** A kilobyte that compresses as JSON of a service does. */
function textValue(): Uint8Array {
  const words = [
    'order',
    'customer',
    'shipped',
    'amount',
    'region',
    'pending',
    'created',
    'invoice',
    'warehouse',
    'total',
  ]
  let [text, seed] = ['', 7]
  while (text.length < 1_024) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    text += `"${words[seed % words.length]}":${seed % 99_991},`
  }
  return Buffer.from(text.slice(0, 1_024))
}

async function compression(): Promise<BenchFigure[]> {
  const value = textValue()
  const load: PublicLoad = { ...BASE, records: 200_000, valueBytes: value.length, value }
  const codecs = ['none', 'lz4', 'zstd', 'snappy', 'gzip'] as const
  const speeds = new Map<string, number[]>(codecs.map(codec => [codec, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const codec of codecs) {
      speeds.get(codec)!.push((await publicPipeline({ ...load, compression: codec })).recordsPerSecond)
    }
  }
  const speed = (codec: string) => median(speeds.get(codec)!)
  return [
    ...codecs.map(codec => reported(`${codec} MB/s`, (speed(codec) * value.length) / 1e6)),
    atLeast('lz4 of none', speed('lz4') / speed('none'), 0.5),
  ]
}

async function growth(): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = []
  for (const partitions of [1, 10, 100]) {
    const { recordsPerSecond } = await publicPipeline({ ...BASE, partitions, records: 1_000_000 })
    figures.push(reported(`1 M records, ${partitions} partitions: ns/record`, 1e9 / recordsPerSecond))
  }
  for (const records of [1_000_000, 5_000_000, 20_000_000, 50_000_000]) {
    const { recordsPerSecond } = await publicPipeline({ ...BASE, records })
    figures.push(reported(`${records / 1e6} M records, 4 partitions: ns/record`, 1e9 / recordsPerSecond))
  }
  return figures
}

export const pipelineRows: readonly BenchRow[] = [
  { name: 'arrays', what: 'array sends of 500, end to end, 4 partitions, 100 B', run: arrays },
  { name: 'per-record', what: 'enqueue per record, and an awaited promise per record, 100 B', run: perRecord },
  { name: 'kilobyte', what: '1 KiB values end to end', run: kilobyte },
  {
    name: 'steady',
    what: 'array sends end to end, 4 partitions, after 10 M records of 100 B and 1.5 M of 1 KiB',
    run: steady,
  },
  { name: 'compression', what: '1 KiB text-like values, by codec', run: compression },
  { name: 'growth', what: 'cost per record as work grows, 100 B', run: growth },
]
