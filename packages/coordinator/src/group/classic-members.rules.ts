// Who may speak for a member of a classic group: unknown ids and fenced instances are refused (Java: ClassicGroup.validateMember). Pure.
import { errors } from '@odradek/shared/protocol/error-codes'
import type { ClassicGroup } from './classic-group.ts'

/** 0, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when the instance goes by another member id by now (KIP-345). */
export function validateMember(group: ClassicGroup, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId)
    if (current === undefined) return errors.UNKNOWN_MEMBER_ID.code
    if (current !== memberId) return errors.FENCED_INSTANCE_ID.code
  }
  return group.members.has(memberId) ? 0 : errors.UNKNOWN_MEMBER_ID.code
}

/** As above, and the generation must be the group's. */
export function validateGeneration(
  group: ClassicGroup,
  {
    memberId,
    groupInstanceId,
    generationId,
  }: { memberId: string; groupInstanceId: string | null; generationId: number },
): number {
  const errorCode = validateMember(group, memberId, groupInstanceId)
  if (errorCode !== 0) return errorCode
  return generationId === group.generationId ? 0 : errors.ILLEGAL_GENERATION.code
}
