// What transactions promise (PROMISES 4 and 5), judged by what their clients were told and what committed readers saw; and what a copy
// that is made exactly once holds.
import type { Finding } from './checker.rules.ts'
import type { Copy, History, Read, Send, TransactionRun } from './history.ts'
import { placeOf, seconds } from './places.rules.ts'

export type TransactionFindingRule =
  /** A committed read of a record whose transaction was aborted. */
  | 'aborted-read'
  /** A committed read of a record before anybody asked for the commit of its transaction. */
  | 'dirty-read'
  /** Part of a transaction is there, part is not. */
  | 'torn-transaction'
  /** An offset of a transaction that was not committed, or not yet. */
  | 'early-offset'
  /** The offset of a committed transaction is gone. */
  | 'lost-offset'
  /** A record that is not in the copy. */
  | 'uncopied'
  /** A record that is in the copy more than once. */
  | 'copied-twice'
  /** A copy of nothing. */
  | 'copied-phantom'
  /** Records of one key and partition that changed their order in the copy. */
  | 'copied-disorder'

/** Everything that is wrong with the transactions of a history. */
export function transactionFindings(history: History): Finding[] {
  const runs = new Map(history.transactions.map(run => [run.id, run]))
  return [
    ...undecidedReads(history, runs),
    ...tornTransactions(history),
    ...offsetFindings(history),
    ...history.copies.flatMap(copy => copyFindings(copy, history)),
  ]
}

function undecidedReads({ sends, reads, final }: History, runs: ReadonlyMap<string, TransactionRun>): Finding[] {
  const transactionOf = new Map(sends.map(({ value, transaction }) => [value, transaction]))
  return [...reads, ...final].flatMap((read): Finding[] => {
    const run = runs.get(transactionOf.get(read.value) ?? '')
    if (!read.committedOnly || run === undefined) return []
    const given = `${read.reader} was given ${read.value} at ${placeOf(read)}`
    if (run.outcome === 'aborted')
      return [{ rule: 'aborted-read', message: `${given}, and its transaction ${run.id} was aborted` }]
    if (read.at >= run.commitAskedAt) return []
    return [{ rule: 'dirty-read', message: `${given}, before the commit of ${run.id} was asked for` }]
  })
}

function tornTransactions({ sends, final }: History): Finding[] {
  const committed = new Set(final.filter(({ committedOnly }) => committedOnly).map(({ value }) => value))
  const parts = new Map<string, { there: Send[]; missing: Send[] }>()
  for (const send of sends) {
    if (send.transaction === null || send.outcome !== 'acknowledged') continue
    const part = parts.get(send.transaction) ?? { there: [], missing: [] }
    parts.set(send.transaction, part)
    if (committed.has(send.value)) part.there.push(send)
    else part.missing.push(send)
  }
  return [...parts].flatMap(([id, { there, missing }]) =>
    there.length === 0 || missing.length === 0
      ? []
      : [
          {
            rule: 'torn-transaction',
            message: `of transaction ${id} ${there[0]!.value} is there and ${missing[0]!.value} is not`,
          },
        ],
  )
}

/** An offset that was seen belongs to a transaction that is committed by then, and is not below one that was committed before. */
function offsetFindings({ transactions, offsetSightings }: History): Finding[] {
  return offsetSightings.flatMap(({ producer, offset, askedAt, at }): Finding[] => {
    const carried = transactions.filter(run => run.producer === producer && run.offset !== null)
    const run = carried.find(each => each.offset === offset)
    const seen = `offset ${offset} of ${producer} was seen at ${seconds(at)}`
    if (offset >= 0 && (run === undefined || run.outcome === 'aborted' || run.commitAskedAt > at)) {
      return [{ rule: 'early-offset', message: `${seen}, and its transaction was not committed` }]
    }
    const lost = carried.find(each => each.outcome === 'committed' && each.endedAt < askedAt && each.offset! > offset)
    return lost === undefined
      ? []
      : [{ rule: 'lost-offset', message: `${seen}, after ${lost.id} had committed ${lost.offset}` }]
  })
}

function copyFindings({ from, to }: Copy, { final, copied }: History): Finding[] {
  const originals = new Map(final.filter(({ topic }) => topic === from).map(read => [read.value, read]))
  const copies = copied.filter(({ topic }) => topic === to)
  const times = new Map<string, number>()
  for (const { value } of copies) times.set(value, (times.get(value) ?? 0) + 1)
  return [
    ...[...originals.values()]
      .filter(({ value }) => !times.has(value))
      .map(read => ({
        rule: 'uncopied',
        message: `${read.value} at ${from}-${read.partition}@${read.offset} is not in ${to}`,
      })),
    ...[...times]
      .filter(([, count]) => count > 1)
      .map(([value, count]) => ({ rule: 'copied-twice', message: `${value} is in ${to} ${count} times` })),
    ...copies
      .filter(({ value }) => !originals.has(value))
      .map(({ value }) => ({ rule: 'copied-phantom', message: `${value} is in ${to} and not in ${from}` })),
    ...disorder(originals, copies),
  ]
}

function disorder(originals: ReadonlyMap<string, Read>, copies: readonly Read[]): Finding[] {
  const latest = new Map<string, Read>()
  const findings: Finding[] = []
  for (const copy of copies) {
    const original = originals.get(copy.value)
    if (original === undefined || copy.key === null) continue
    const line = `${original.partition} ${copy.key} ${copy.partition}`
    const before = latest.get(line)
    if (before !== undefined && before.offset > original.offset) {
      findings.push({ rule: 'copied-disorder', message: `${before.value} was copied before ${copy.value}` })
    }
    latest.set(line, original)
  }
  return findings
}
