// FindCoordinator 0-6. Up to version 3 one key, from 4 on a list. Every coordinator is at this broker; the reply names this listener's address.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

const KEYS_VERSION = 4

export const findCoordinatorHandler: Handler<'FindCoordinator'> = async (request, { door, caller, advertised }) => {
  const single = caller.apiVersion < KEYS_VERSION
  const response = await answer(
    door,
    'FindCoordinator',
    single ? { ...request, coordinatorKeys: [request.key] } : request,
    caller,
  )
  const coordinators = response.coordinators.map(found => (found.errorCode === 0 ? { ...found, ...advertised } : found))
  if (!single) return { ...response, coordinators }
  const { nodeId, host, port, errorCode, errorMessage } = coordinators[0]!
  return { throttleTimeMs: 0, errorCode, errorMessage, nodeId, host, port, coordinators: [] }
}
