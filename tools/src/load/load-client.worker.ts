// A client thread of the load tool: piscina runs one task here per run. Joins the embedded broker, or connects over TCP; waits for `go`; works; answers.
import { loading } from '@odradek/shared/base/loading'
import { joinBroker } from '@odradek/shared/client/join-broker'
import type { ClientResult, ClientTask, FromClient, ToClient } from './client-messages.ts'
import type { Go } from './produce-client.ts'

/** Piscina's task, by this name. */
export async function loadClient(task: ClientTask): Promise<ClientResult> {
  const { port, target } = task
  const joined = target.kind === 'embedded' ? joinBroker(target.ticket) : null
  const where = target.kind === 'embedded' ? { bootstrapServers: joined! } : target.options
  const client = await clientOf(task, where)
  const stop = new AbortController()
  try {
    const go = new Promise<Go>(resolve => {
      port.on('message', (message: ToClient) => {
        if (message.type === 'go') resolve({ ...message, signal: stop.signal })
        else if (message.type === 'ends') (client as { endAt?(ends: readonly number[]): void }).endAt?.(message.ends)
        else stop.abort()
      })
    })
    await client.connect()
    port.postMessage({ type: 'ready' } satisfies FromClient)
    return await client.run(await go)
  } finally {
    await client.close()
    await joined?.close()
    port.close()
  }
}

async function clientOf(task: ClientTask, where: object) {
  if (task.role === 'produce' && task.plan.transaction !== null) {
    const { TransactionClient } = await loading(() => import('./transaction-client.ts'))
    return new TransactionClient(task, task.plan.transaction, where)
  }
  if (task.role === 'produce') {
    const { ProduceClient } = await loading(() => import('./produce-client.ts'))
    return new ProduceClient(task, where)
  }
  const { ConsumeClient } = await loading(() => import('./consume-client.ts'))
  return new ConsumeClient(task, where)
}
