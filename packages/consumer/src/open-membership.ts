// Opens the membership that `group.protocol` asks for.
import { errorData, portError } from './consumer-errors.ts'
import type { Membership, MembershipHost } from './membership.ts'

export function openMembership({ group }: MembershipHost): Membership {
  throw portError(errorData('ODK_CONSUMER_STATE', `group ${group.groupId}: consumer groups are not there yet`))
}
