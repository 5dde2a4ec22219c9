// A port of loopback for a server that has to be told one before it starts.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Random, systemRandom } from '@odradek/shared/base/random'

/**
 * Below what systems give to whoever names no port (Linux 32768 and above, others 49152 and above): between a server's death and its next start on the same
 * port, no client's connection and no other server can come to stand there.
 */
const LOWEST = 20_000
const COUNT = 12_000

/** What this process was given: two servers that do not listen yet must not get one port. */
const given = new Set<number>()

/** One in 20000..31999 that was free a moment ago, each time another. */
export async function freePort(random: Random = systemRandom()): Promise<number> {
  for (;;) {
    const port = LOWEST + random.int(COUNT)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
