// A short life of a broker and its clients on threads that keep their bytecode (thread-recorder); main.ts runs it once the pack is written. What runs here
// is what a start and the first records need: the more of it, the less a cold thread compiles, and the more it reads.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useThreadEntry } from '@odradek/shared/actor/thread-entry'
import { createBroker, createConsumer, createProducer } from '../index.ts'
import { packedFolder } from './freshness.ts'

async function live(storage: { readonly dir: string } | { readonly storage: 'memory' }): Promise<void> {
  const broker = await createBroker({ ...storage, topics: { records: 2 } })
  const producer = createProducer({ bootstrapServers: broker, transactionalId: 'recorder' })
  const consumer = createConsumer({ bootstrapServers: broker, groupId: 'recorder', autoOffsetReset: 'earliest' })
  await producer.transaction(async transaction => {
    await transaction.send('records', [{ value: 'first' }, { value: 'second' }])
  })
  for await (const _record of consumer.stream('records')) break
  await consumer.close()
  await producer.close()
  await broker.close()
}

useThreadEntry(new URL('thread-recorder.cjs', packedFolder))
const dir = mkdtempSync(join(tmpdir(), 'odradek-record-'))
try {
  await live({ storage: 'memory' })
  await live({ dir })
} finally {
  rmSync(dir, { recursive: true, force: true })
}
