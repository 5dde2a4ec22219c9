// LeaveGroup 0-5. Up to version 2 one member by a plain field, from 3 on a list (KIP-345).
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

const MEMBERS_VERSION = 3

export const leaveGroupHandler: Handler<'LeaveGroup'> = async (request, { door, caller }) => {
  if (caller.apiVersion >= MEMBERS_VERSION) return answer(door, 'LeaveGroup', request, caller)
  const members = [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
  const response = await answer(door, 'LeaveGroup', { ...request, memberId: '', members }, caller)
  return { throttleTimeMs: 0, errorCode: response.errorCode || (response.members[0]?.errorCode ?? 0), members: [] }
}
