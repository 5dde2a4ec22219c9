// The bare pipeline's consumer: checks CRCs and passes batches on.
import assert from 'node:assert'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { batchCrc, computeBatchCrc } from '@odradek/shared/records/record-batch'

const { leaders } = workerData as { readonly leaders: readonly MessagePort[] }

for (const port of leaders) {
  port.on('message', (batches: readonly Uint8Array[]) => {
    for (const bytes of batches) assert.equal(computeBatchCrc(bytes, 0), batchCrc(bytes, 0))
    parentPort!.postMessage(
      batches,
      batches.map(bytes => bytes.buffer as ArrayBuffer),
    )
  })
}
parentPort!.on('message', () => {
  for (const port of leaders) port.close()
  parentPort!.close()
})
