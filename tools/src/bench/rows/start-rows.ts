// Rows about starting, idling, reopening after a kill, and many partitions.
import { inDirectory } from '../bench-directory.ts'
import { atMost, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { median } from '../median.rules.ts'
import { type Figures, probe, startProbe } from '../probe.ts'

const ROUNDS = 5

async function cold(): Promise<BenchFigure[]> {
  const memory: Figures[] = []
  const lmdb: Figures[] = []
  for (let round = 0; round < ROUNDS; round++) {
    memory.push(await probe('start'))
    lmdb.push(await inDirectory(dir => probe('start', dir)))
  }
  const of = (runs: readonly Figures[], figure: string) => median(runs.map(run => run[figure]!))
  return [
    atMost('memory ms', of(memory, 'firstMs'), 80),
    reported('memory cpu ms', of(memory, 'firstCpuMs')),
    atMost('LMDB ms', of(lmdb, 'firstMs'), 120),
    reported('LMDB cpu ms', of(lmdb, 'firstCpuMs')),
    atMost('second in the process ms', of(memory, 'secondMs'), 20),
    reported('second in the process cpu ms', of(memory, 'secondCpuMs')),
  ]
}

async function idle(): Promise<BenchFigure[]> {
  const bare = await probe('bare')
  const broker = await probe('idle')
  return [
    atMost('RSS above bare Node MB', (broker.rss! - bare.rss!) / 1e6, 40),
    atMost('cpu % of one core', broker.cpuPercent!, 0.2),
  ]
}

const GIGABYTE = '1000000000'

function reopen(): Promise<BenchFigure[]> {
  return inDirectory(async dir => {
    const { child, line } = startProbe('fill', [dir, GIGABYTE])
    const { bytes } = await line
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    const { firstAckMs, startMs } = await probe('reopen', dir)
    return [
      reported('bytes before the kill, GB', bytes! / 1e9),
      reported('createBroker ms', startMs!),
      atMost('first append acknowledged s', firstAckMs! / 1_000, 0.5),
    ]
  })
}

function manyPartitions(): Promise<BenchFigure[]> {
  return inDirectory(async dir => {
    const { createMs, rss, threads, firstAckMs } = await probe('partitions', dir, '1000')
    return [
      atMost('created s', createMs! / 1_000, 2),
      atMost('RSS MB', rss! / 1e6, 400),
      reported('threads', threads!),
      reported('a record to every partition, acknowledged ms', firstAckMs!),
    ]
  })
}

export const startRows: readonly BenchRow[] = [
  { name: 'start', what: 'createBroker() in a cold process after import', run: cold },
  { name: 'idle', what: 'idle embedded broker (memory)', run: idle },
  { name: 'reopen', what: 'reopen after SIGKILL under load, 1 GB in 8 partitions', run: reopen },
  { name: 'partitions', what: 'topic with 1,000 partitions (LMDB)', run: manyPartitions },
]
