// The ceiling: the same road without actors. Main thread builds batches -> sender thread seals them -> one leader thread per partition commits them to LMDB, a
// group per turn, and reads them back -> consumer thread checks the CRC -> main thread decodes. Plain threads, ports and LMDB; credits are a count.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { RecordReader } from '@odradek/shared/records/record-reader'
import { inDirectory } from './bench-directory.ts'

export interface PipelineFigures {
  readonly recordsPerSecond: number
  /** Of all threads, microseconds per record. */
  readonly cpuUser: number
  readonly cpuSystem: number
}

export interface PipelineLoad {
  readonly records: number
  readonly valueBytes: number
  readonly partitions: number
  readonly batchBytes: number
  /** Records that pass before the measurement begins. Default: some hundred batches per partition, at most half of the load. */
  readonly warmUp?: number
}

const BATCHES_IN_FLIGHT = 128
/** Every thread compiles its own code, and most of it runs once per batch: a leader's is compiled after about this many. */
const WARM_BATCHES_PER_PARTITION = 500
const WARM_SHARE_MAX = 0.5
const DECOMPRESSED_MAX = 64 * 1024 * 1024

/** Records that pass before the measurement begins, bare or not. */
export function warmRecords({ records, valueBytes, partitions, batchBytes, warmUp }: PipelineLoad): number {
  if (warmUp !== undefined) return warmUp
  const enough = Math.ceil((WARM_BATCHES_PER_PARTITION * partitions * batchBytes) / valueBytes)
  return Math.min(enough, Math.ceil(records * WARM_SHARE_MAX))
}

/** From the first record built to the last one decoded. */
export function barePipeline(load: PipelineLoad): Promise<PipelineFigures> {
  return withBareThreads(load.partitions, async threads => {
    await drive(threads, { ...load, records: warmRecords(load) })
    return await drive(threads, load)
  })
}

/** What the main thread speaks with: batches go to the sender, which acknowledges them, and come from the consumer. */
export interface BareThreads {
  readonly sender: Worker
  readonly consumer: Worker
}

/** The pipeline's threads, with logs in a directory of their own, for as long as `work` takes. */
export function withBareThreads<T>(partitions: number, work: (threads: BareThreads) => Promise<T>): Promise<T> {
  return inDirectory(async dir => {
    const workers: Worker[] = []
    try {
      return await work(await startThreads(dir, partitions, workers))
    } finally {
      // Orderly: a thread that is told to close ends by itself, outside of any LMDB call.
      for (const worker of workers) worker.postMessage({ close: true })
      await Promise.all(workers.map(worker => new Promise(resolve => worker.once('exit', resolve))))
    }
  })
}

async function startThreads(dir: string, partitions: number, workers: Worker[]): Promise<BareThreads> {
  const start = (name: string, workerData: object, ports: readonly MessagePort[]) => {
    const worker = new Worker(new URL(builtUrl(new URL(`./bare-${name}.worker.ts`, import.meta.url).href)), {
      workerData,
      transferList: [...ports],
    })
    workers.push(worker)
    return new Promise<Worker>((resolve, reject) => worker.once('online', () => resolve(worker)).once('error', reject))
  }
  const toSender = Array.from({ length: partitions }, () => new MessageChannel())
  const toConsumer = Array.from({ length: partitions }, () => new MessageChannel())
  const leaders = toSender.map(({ port2 }, index) => {
    const consumer = toConsumer[index]!.port1
    return start('leader', { dir: `${dir}/${index}`, sender: port2, consumer }, [port2, consumer])
  })
  const senderPorts = toSender.map(({ port1 }) => port1)
  const consumerPorts = toConsumer.map(({ port2 }) => port2)
  const [sender, consumer] = await Promise.all([
    start('sender', { leaders: senderPorts }, senderPorts),
    start('consumer', { leaders: consumerPorts }, consumerPorts),
    ...leaders,
  ])
  return { sender, consumer }
}

function drive(
  { sender, consumer }: BareThreads,
  { records, valueBytes, partitions, batchBytes }: PipelineLoad,
): Promise<PipelineFigures> {
  const value = Buffer.alloc(valueBytes, 'x')
  const builder = new BatchBuilder({ writeLimit: batchBytes })
  const reader = new RecordReader()
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  let [built, received, inFlight, next, checksum] = [0, 0, 0, 0, 0]
  return new Promise(resolve => {
    const fill = () => {
      while (built < records && inFlight < BATCHES_IN_FLIGHT) {
        const now = Date.now()
        while (built < records && builder.tryAppend(now, null, value)) built++
        const bytes = builder.close()
        sender.postMessage({ partition: next++ % partitions, bytes }, [bytes.buffer as ArrayBuffer])
        inFlight++
      }
    }
    const endWhenDone = () => {
      if (received < records || inFlight > 0 || checksum === 0) return
      const { user, system } = process.cpuUsage(cpu)
      const recordsPerSecond = (records * 1_000) / (performance.now() - startedAt)
      for (const worker of [sender, consumer]) worker.removeAllListeners('message')
      resolve({ recordsPerSecond, cpuUser: user / records, cpuSystem: system / records })
    }
    consumer.on('message', (batches: readonly Uint8Array[]) => {
      for (const bytes of batches) {
        reader.open(bytes, 0, DECOMPRESSED_MAX)
        while (reader.next()) {
          received++
          checksum += reader.valueLength
        }
      }
      endWhenDone()
    })
    sender.on('message', (acknowledged: number) => {
      inFlight -= acknowledged
      fill()
      endWhenDone()
    })
    fill()
  })
}
