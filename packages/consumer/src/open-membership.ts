// Opens the membership that `group.protocol` asks for.
import { ClassicMembership } from './classic-membership.ts'
import { ConsumerMembership } from './consumer-membership.ts'
import type { Membership, MembershipHost } from './membership.ts'

export function openMembership(host: MembershipHost): Membership {
  return host.group.groupProtocol === 'classic' ? new ClassicMembership(host) : new ConsumerMembership(host)
}
