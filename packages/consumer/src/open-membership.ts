// Opens the membership that `group.protocol` asks for.
import { ClassicMembership } from './classic-membership.ts'
import { errorData, portError } from './consumer-errors.ts'
import type { Membership, MembershipHost } from './membership.ts'

export function openMembership(host: MembershipHost): Membership {
  if (host.group.groupProtocol === 'classic') return new ClassicMembership(host)
  throw portError(errorData('ODK_CONSUMER_STATE', "groupProtocol: 'consumer' is not there yet"))
}
