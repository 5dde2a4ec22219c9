// Which protocol (assignor) a generation uses: one that every member supports, chosen by vote (Java: ClassicGroup.selectProtocol). Pure.
import type { ClassicGroup, ClassicMember, GroupProtocol } from './classic-group.ts'

/** Names that every member supports, in the order of the first member. */
function commonProtocols({ members, protocolCounts }: ClassicGroup): readonly string[] {
  const first: ClassicMember | undefined = members.values().next().value
  const names = new Set(first?.protocols.map(({ name }) => name))
  return [...names].filter(name => protocolCounts.get(name) === members.size)
}

/** Each member votes for the first of its protocols that all support; a tie goes to what the first member prefers. */
export function selectProtocol(group: ClassicGroup): string | null {
  const { members } = group
  const candidates = commonProtocols(group)
  const votes = new Map(candidates.map(name => [name, 0]))
  for (const { protocols } of members.values()) {
    const vote = protocols.find(({ name }) => votes.has(name))
    if (vote !== undefined) votes.set(vote.name, votes.get(vote.name)! + 1)
  }
  let selected: string | null = null
  for (const [name, count] of votes) if (selected === null || count > votes.get(selected)!) selected = name
  return selected
}

/** Whether a member with these protocols can be in the group (Java: ClassicGroup.supportsProtocols). */
export function supportsProtocols(
  group: ClassicGroup,
  protocolType: string,
  protocols: readonly GroupProtocol[],
): boolean {
  if (group.members.size === 0) return protocolType !== '' && protocols.length > 0
  if (group.protocolType !== protocolType) return false
  return protocols.some(({ name }) => group.protocolCounts.get(name) === group.members.size)
}

/** Same protocols with the same metadata in the same order: nothing to rebalance for. */
export function sameProtocols(a: readonly GroupProtocol[], b: readonly GroupProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, index) => {
      const other = b[index]!
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0
    })
  )
}
