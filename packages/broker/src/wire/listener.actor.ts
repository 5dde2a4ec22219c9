// A listener's hands: accepts connections on one address (plain or TLS) on the broker's thread, within the limits on their number, and answers them through one door.
import { defineActor } from '@odradek/shared/actor/actor'
import { closeDoor, type Door, openDoor } from '@odradek/shared/client/port/door'
import {
  type ListenerContract,
  type ListenerInput,
  listenerContract,
} from '@odradek/shared/contracts/listener.contract'
import type { ApiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import { apiVersionsAnswer } from './api-versions.rules.ts'
import { FetchSessions } from './fetch-session.rules.ts'
import type { ListenerRoom } from './listener-room.ts'
import { SpokenMessages } from './listener-room.ts'
import { TcpServer } from './tcp-server.ts'

/** What one read of a socket takes at most. Large enough that a busy producer costs few reads, small enough to stay in the processor's cache. */
const READ_BUFFER_BYTES = 128 * 1024

export const actor = defineActor<ListenerContract, ListenerInput>({
  kind: 'listener',
  contract: listenerContract,
  async start(context, input) {
    const door = openDoor(context, input.broker)
    const apiVersions = await followFeatures(door)
    const counters = {
      requests: 0,
      bytesIn: 0,
      bytesOut: 0,
      malformed: 0,
      leftOver: 0,
      failed: 0,
      accepted: 0,
      refused: 0,
    }
    const room: ListenerRoom = {
      context,
      door,
      nodeId: input.nodeId,
      limits: input.limits,
      counters,
      sessions: new FetchSessions(input.fetchSessionsMax),
      messages: new SpokenMessages(),
      advertised: () => input.advertised ?? server.address,
      apiVersions: () => apiVersions.answer,
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    }
    const server = new TcpServer(room)
    // Whatever ends the actor ends its sockets: clients must not talk to a listener that nobody supervises.
    context.onEnd(() => server.destroy())
    await server.listen(input)
    return {
      ask: {
        address: () => server.address,
        drain: async ({ withinMs }) => {
          await server.close(withinMs)
          return {}
        },
      },
      tell: {},
      async close() {
        await server.close(0)
        closeDoor(door)
      },
      describe: () => ({
        state: server.state,
        queues: [
          {
            name: 'connections',
            size: server.connections,
            high: server.connectionsHigh,
            max: input.limits.connectionsMax,
          },
          { name: 'fetch-sessions', size: room.sessions.size, high: room.sessions.size, max: input.fetchSessionsMax },
        ],
        detail: { ...counters, ...server.address },
      }),
    }
  },
})

/** The answer to ApiVersions, as the cluster's features are. Rejects when the broker cannot be asked. */
async function followFeatures(door: Door): Promise<{ answer: ApiVersionsResponse }> {
  const told = { answer: apiVersionsAnswer({ epoch: 0, levels: {} }) }
  door.leaders.onChange(({ features }) => {
    if (features !== undefined) told.answer = apiVersionsAnswer(features)
  })
  // The first news come before the reply.
  await door.broker.link.ask('leaders', { partitions: [] })
  return told
}
