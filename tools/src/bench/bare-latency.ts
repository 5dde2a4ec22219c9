// The floor under single records: the same load over the bare threads. What a machine takes to wake five threads one after another is not a broker's doing.
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { Latencies, type LatencyFigures } from '../load/latencies.ts'
import { withBareThreads } from './bare-pipeline.ts'
import { metronome } from './metronome.ts'

export interface SingleLoad {
  /** Records a second. */
  readonly rate: number
  /** Records that pass before the measurement begins. */
  readonly warmUp: number
  readonly records: number
  readonly value: Uint8Array
}

/** From the moment a record is due to its batch in the main thread again. */
export function bareLatency({ rate, warmUp, records, value }: SingleLoad): Promise<LatencyFigures> {
  return withBareThreads(1, async ({ sender, consumer }) => {
    const received = new Latencies()
    const builder = new BatchBuilder({ writeLimit: 16_384 })
    const intended: number[] = []
    let seen = 0
    const all = new Promise<void>(resolve => {
      consumer.on('message', (batches: readonly Uint8Array[]) => {
        const now = performance.now()
        for (const _ of batches) {
          const index = seen++
          if (index >= warmUp) received.record(now - intended[index]!)
        }
        if (seen === warmUp + records) resolve()
      })
    })
    await metronome({ intervalMs: 1_000 / rate, ticks: warmUp + records, delayMs: 200 }, (_, due) => {
      intended.push(due)
      builder.tryAppend(Date.now(), null, value)
      const bytes = builder.close()
      sender.postMessage({ partition: 0, bytes }, [bytes.buffer as ArrayBuffer])
    })
    await all
    return received.figures()
  })
}
