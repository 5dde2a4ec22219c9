// JoinGroup 0-9. Before version 7 a reply without a protocol (a refusal) says so with an empty name: null cannot be written.
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

const NULLABLE_PROTOCOL_VERSION = 7

export const joinGroupHandler: Handler<'JoinGroup'> = async (request, { door, caller }) => {
  const response = await answer(door, 'JoinGroup', request, caller)
  if (caller.apiVersion >= NULLABLE_PROTOCOL_VERSION) return response
  return { ...response, protocolName: response.protocolName ?? '' }
}
