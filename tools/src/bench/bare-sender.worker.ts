// The bare pipeline's sender: seals batches (CRC-32C), hands them to their leader, passes acknowledgements on.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { sealBatch } from '@odradek/shared/records/batch-sealing'

const { leaders } = workerData as { readonly leaders: readonly MessagePort[] }

parentPort!.on(
  'message',
  (message: { readonly partition: number; readonly bytes: Uint8Array } | { readonly close: true }) => {
    if ('close' in message) {
      for (const port of leaders) port.close()
      parentPort!.close()
      return
    }
    const sealed = sealBatch(message.bytes)
    leaders[message.partition]!.postMessage(sealed, [sealed.buffer as ArrayBuffer])
  },
)
for (const port of leaders) port.on('message', (acknowledged: number) => parentPort!.postMessage(acknowledged))
