// Fetch 4-18. Sessions (version 7 and up, KIP-227) live here: the door below answers plain fetches of all partitions. Version 13 and up name topics by id.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

export const fetchHandler: Handler<'Fetch'> = async (request, { door, caller, sessions }) => {
  const step = sessions.step(request, door.host.clock.monotonic(), () => door.host.random.float())
  if (step.kind === 'refused')
    return { throttleTimeMs: 0, errorCode: step.errorCode, sessionId: 0, responses: [], nodeEndpoints: [] }
  const maxWaitMs = Math.min(request.maxWaitMs, caller.deadlineMs)
  return step.shape(await answer(door, 'Fetch', { ...request, maxWaitMs, topics: step.topics }, caller))
}
