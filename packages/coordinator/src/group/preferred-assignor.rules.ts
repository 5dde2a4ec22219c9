// Which server-side assignor a consumer group uses (Java: ConsumerGroup.computePreferredServerAssignor). Pure.
import type { ConsumerMember } from './consumer-group.ts'
import type { GroupSettings } from './group-settings.ts'

/** What most members ask for; the first configured one when none asks. */
export function preferredAssignor(members: Iterable<ConsumerMember>, { consumerAssignors }: GroupSettings): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let preferred = consumerAssignors[0]!
  let most = 0
  for (const [name, count] of votes) {
    if (count <= most || !consumerAssignors.includes(name)) continue
    preferred = name
    most = count
  }
  return preferred
}
