// The bare pipeline's leader: one LMDB transaction for everything that arrived in a turn, then an acknowledgement and the batches, read back, to the consumer.
import { mkdirSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { recordCount, setBaseOffset } from '@odradek/shared/records/record-batch'
import { open } from 'lmdb'

/** Commit at once, without fsync. */
const NO_SYNC = 0x10002

const { dir, sender, consumer } = workerData as {
  readonly dir: string
  readonly sender: MessagePort
  readonly consumer: MessagePort
}
mkdirSync(dir, { recursive: true })
const database = open({
  path: dir,
  encoding: 'binary',
  overlappingSync: false,
  mapSize: 64 * 2 ** 30,
})

let offset = 0
let pending: Uint8Array[] = []

sender.on('message', (bytes: Uint8Array) => {
  if (pending.push(bytes) === 1) setImmediate(commit)
})

function commit(): void {
  const batches = pending
  pending = []
  const keys: number[] = []
  database.transactionSync(() => {
    for (const bytes of batches) {
      setBaseOffset(bytes, 0, offset)
      keys.push(offset)
      database.put(offset, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      offset += recordCount(bytes, 0)
    }
  }, NO_SYNC as never)
  sender.postMessage(batches.length)
  const read = keys.map(key => {
    const stored = database.getBinary(key)!
    return new Uint8Array(stored.buffer, stored.byteOffset, stored.length)
  })
  consumer.postMessage(
    read,
    read.map(bytes => bytes.buffer as ArrayBuffer),
  )
}

parentPort!.on('message', async () => {
  await database.close()
  sender.close()
  consumer.close()
  parentPort!.close()
})
