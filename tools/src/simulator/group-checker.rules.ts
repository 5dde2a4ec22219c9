// What groups promise (PROMISES 6), judged by what members were told and did: one owner at a time, no commit of somebody who was fenced,
// positions never ahead of processing, commits that stay, instances that are theirs.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { Finding } from './checker.rules.ts'
import type { History, OffsetCommit, Read, Tenure } from './history.ts'
import { placeOf, seconds } from './places.rules.ts'

export type GroupFindingRule =
  /** A partition was given to a member before its owner had given it up. */
  | 'two-owners'
  /** A member committed although another one owned the partition. */
  | 'fenced-commit'
  /** A record that the group's position passed before anybody had processed it. */
  | 'skipped-record'
  /** A new owner began below what had been committed. */
  | 'lost-commit'
  /** A static member was told that another one has its instance id, and there was none. */
  | 'wrongly-fenced'

/** Everything that is wrong with the groups of a history. */
export function groupFindings(history: History): Finding[] {
  const tenures = grouped(history.tenures, ({ groupId, ...at }) => `${groupId} ${nameOf(at)}`)
  return [
    ...[...tenures.values()].flatMap(twoOwners),
    ...fencedCommits(history.commits, tenures),
    ...positionFindings(history, tenures),
    ...wronglyFenced(history),
  ]
}

/** A member that lives and was not told that it lost the partition holds it until it gives it up: nobody is given it meanwhile. */
function twoOwners(tenures: readonly Tenure[]): Finding[] {
  const findings: Finding[] = []
  for (const before of tenures) {
    if (!before.isFirm || before.ending !== 'revoked') continue
    const after = tenures.find(
      ({ member, assignedAt }) =>
        member !== before.member && assignedAt > before.assignedAt && assignedAt < before.endedAt,
    )
    if (after === undefined) continue
    findings.push({
      rule: 'two-owners',
      message: `${nameOf(before)} of ${before.groupId} was given to ${after.member} (${seconds(after.assignedAt)}), and ${before.member} had it from ${seconds(before.assignedAt)} until ${seconds(before.endedAt)}`,
    })
  }
  return findings
}

function fencedCommits(commits: readonly OffsetCommit[], tenures: ReadonlyMap<string, readonly Tenure[]>): Finding[] {
  const findings: Finding[] = []
  const taken = commits.filter(({ ackedAt }) => Number.isFinite(ackedAt))
  const proven = new Set([...tenures.values()].flat().filter(tenure => isProven(tenure, taken)))
  for (const commit of taken) {
    const all = tenures.get(`${commit.groupId} ${nameOf(commit)}`) ?? []
    const own = all.findLast(({ member, assignedAt }) => member === commit.member && assignedAt <= commit.sentAt)
    const newer = all.find(
      tenure =>
        proven.has(tenure) &&
        tenure.member !== commit.member &&
        tenure.assignedAt > (own?.assignedAt ?? 0) &&
        tenure.assignedAt < commit.sentAt,
    )
    if (own === undefined || newer === undefined) continue
    findings.push({
      rule: 'fenced-commit',
      message: `${commit.member} committed ${placeOf(commit)} of ${commit.groupId} (${seconds(commit.sentAt)}), and ${newer.member} had it since ${seconds(newer.assignedAt)}`,
    })
  }
  return findings
}

/**
 * Who sleeps between an answer and its taking up (a member whose thread was stopped) awakes to what the group gave it once, holds it until its next heartbeat
 * says that it was fenced long ago, and nobody can tell it before: in Kafka as here. So a tenure that ended so says something of the group only if
 * the group took a commit from it.
 */
function isProven(tenure: Tenure, taken: readonly OffsetCommit[]): boolean {
  if (tenure.ending !== 'lost' && tenure.ending !== 'gone') return true
  const { groupId, member, assignedAt, endedAt } = tenure
  return taken.some(
    commit =>
      commit.groupId === groupId &&
      commit.member === member &&
      nameOf(commit) === nameOf(tenure) &&
      commit.sentAt >= assignedAt &&
      commit.sentAt <= endedAt,
  )
}

/** Where each tenure began to read must be justified: everything below was processed, and nothing that was committed is repeated. */
function positionFindings(history: History, tenures: ReadonlyMap<string, readonly Tenure[]>): Finding[] {
  const findings: Finding[] = []
  const readsOf = grouped(history.reads, ({ reader, ...at }) => `${reader} ${nameOf(at)}`)
  const recordsOf = grouped(history.final, nameOf)
  for (const [key, all] of tenures) {
    const { groupId } = all[0]!
    const records = recordsOf.get(nameOf(all[0]!)) ?? []
    const members = new Set(all.map(({ member }) => member))
    const reads = [...members].flatMap(member => readsOf.get(`${member} ${nameOf(all[0]!)}`) ?? [])
    const processedAt = firstReads(reads)
    const commits = history.commits.filter(
      commit => `${commit.groupId} ${nameOf(commit)}` === key && Number.isFinite(commit.ackedAt),
    )
    for (const tenure of all) {
      const first = reads.find(
        ({ reader, at }) => reader === tenure.member && at >= tenure.assignedAt && at <= tenure.endedAt,
      )
      if (first === undefined) continue
      const skipped = records.find(
        ({ offset }) => offset < first.offset && (processedAt.get(offset) ?? Number.POSITIVE_INFINITY) > first.at,
      )
      if (skipped !== undefined) findings.push(skip(groupId, skipped, first))
      const lost = commits.find(({ offset, ackedAt }) => ackedAt < tenure.assignedAt && offset > first.offset)
      if (lost !== undefined) findings.push(lostCommit(lost, first))
    }
    const never = records.find(({ offset }) => !processedAt.has(offset))
    if (never !== undefined) findings.push(skip(groupId, never, undefined))
  }
  return findings
}

function firstReads(reads: readonly Read[]): ReadonlyMap<number, number> {
  const first = new Map<number, number>()
  for (const { offset, at } of reads) first.set(offset, Math.min(at, first.get(offset) ?? Number.POSITIVE_INFINITY))
  return first
}

function skip(groupId: string, skipped: Read, by: Read | undefined): Finding {
  const why = by === undefined ? 'nobody ever did' : `${by.reader} began at ${by.offset} (${seconds(by.at)})`
  return {
    rule: 'skipped-record',
    message: `nobody of ${groupId} had processed ${skipped.value} at ${placeOf(skipped)}: ${why}`,
  }
}

function lostCommit({ groupId, member, offset, ackedAt }: OffsetCommit, first: Read): Finding {
  return {
    rule: 'lost-commit',
    message: `${member} had committed ${offset} of ${nameOf(first)} in ${groupId} (${seconds(ackedAt)}), and ${first.reader} began at ${first.offset} (${seconds(first.at)})`,
  }
}

function wronglyFenced({ instances }: History): Finding[] {
  return instances
    .filter(({ kind }) => kind === 'fenced')
    .filter(fenced => {
      const began = instances.find(({ kind, member }) => kind === 'began' && member === fenced.member)
      return !instances.some(
        ({ kind, groupId, instanceId, member, at }) =>
          kind === 'began' &&
          groupId === fenced.groupId &&
          instanceId === fenced.instanceId &&
          member !== fenced.member &&
          at >= (began?.at ?? 0) &&
          at <= fenced.at,
      )
    })
    .map(({ member, instanceId, groupId, at }) => ({
      rule: 'wrongly-fenced',
      message: `${member} was told that another member of ${groupId} is ${instanceId} (${seconds(at)}), and there was none`,
    }))
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const known = groups.get(keyOf(item))
    if (known === undefined) groups.set(keyOf(item), [item])
    else known.push(item)
  }
  return groups
}
