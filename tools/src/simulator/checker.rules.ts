// Judges a history: pure, and the same for simulations and for real processes. The words are Jepsen's. What the rules allow is only
// what the README's durability table names: power loss may take what was not flushed yet, as a tail, never a hole.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { type GroupFindingRule, groupFindings } from './group-checker.rules.ts'
import type { Crash, Durability, History, Read, Send } from './history.ts'
import { placeOf, seconds } from './places.rules.ts'
import { type TransactionFindingRule, transactionFindings } from './transaction-checker.rules.ts'

export type FindingRule =
  /** Acknowledged, and not in the log although later records are. */
  | 'lost-write'
  /** Acknowledged, and missing at the end of the log. */
  | 'unseen'
  /** One value at two places. */
  | 'duplicate'
  /** One offset that held two values, or an acknowledgement that names another place than the log. */
  | 'inconsistent-offset'
  /** Records of one producer acknowledged against the order in which they were sent. */
  | 'nonmonotonic-send'
  /** A reader that went back without being told to. */
  | 'nonmonotonic-poll'
  /** A reader that passed over a record. */
  | 'poll-skip'
  /** A record that nobody sent, or elsewhere or otherwise than it was sent. */
  | 'phantom'
  | TransactionFindingRule
  | GroupFindingRule
  /** Nothing happened, so nothing was shown. */
  | 'empty-history'

export interface Finding {
  readonly rule: FindingRule | (string & {})
  readonly message: string
}

/** Time by which a flush may be later than `flush.ms` names: the leader was paused, or died and came back. */
const FLUSH_SLACK_MS = 5_000

/** Everything that is wrong with the history; empty when it keeps all promises. */
export function check(history: History): Finding[] {
  const seen = new Observations(history)
  return [
    ...emptyHistory(history),
    ...lostWrites(history, seen),
    ...inconsistentOffsets(seen),
    ...duplicates(history, seen),
    ...nonmonotonicSends(history),
    ...readerFindings(history, seen),
    ...phantoms(history, seen),
    ...transactionFindings(history),
    ...groupFindings(history),
  ]
}

/** Something that was told of a place in a log. */
interface Sighting {
  readonly value: string
  readonly at: number
  readonly by: string
}

/** The history by place and by value, made once for all rules. */
class Observations {
  readonly sends = new Map<string, Send>()
  /** Per place: what was told of it, by time. */
  readonly places = new Map<string, Sighting[]>()
  readonly finalByValue = new Map<string, Read[]>()
  readonly finalPlaces = new Map<string, string>()
  /** Highest offset of each partition at the end. */
  readonly finalEnds = new Map<string, number>()
  readonly outcomes = new Map<string, 'committed' | 'aborted' | 'unknown'>()
  readonly #history: History

  constructor(history: History) {
    this.#history = history
    for (const { id, outcome } of history.transactions) this.outcomes.set(id, outcome)
    for (const send of history.sends) {
      this.sends.set(send.value, send)
      if (send.outcome === 'acknowledged' && send.offset >= 0) {
        this.#sighted(placeOf(send), { value: send.value, at: send.endedAt, by: `acknowledged to ${send.producer}` })
      }
    }
    for (const read of [...history.reads, ...history.final]) {
      this.#sighted(placeOf(read), { value: read.value, at: read.at, by: `read by ${read.reader}` })
    }
    for (const sightings of this.places.values()) sightings.sort((a, b) => a.at - b.at)
    for (const read of history.final) {
      const log = nameOf(read)
      this.finalByValue.set(read.value, [...(this.finalByValue.get(read.value) ?? []), read])
      this.finalPlaces.set(placeOf(read), read.value)
      this.finalEnds.set(log, Math.max(this.finalEnds.get(log) ?? -1, read.offset))
    }
  }

  #sighted(place: string, sighting: Sighting): void {
    const sightings = this.places.get(place)
    if (sightings === undefined) this.places.set(place, [sighting])
    else sightings.push(sighting)
  }

  /** Crashes that may have taken what was seen in the topic at that time: the power was lost before it was flushed. */
  thieves(topic: string, seenAt: number): Crash[] {
    const durability = this.#history.topics.get(topic) ?? { kind: 'none' }
    return this.#history.crashes.filter(
      ({ at, powerLost }) => powerLost && at >= seenAt && takesUnflushed(durability, at - seenAt),
    )
  }

  /** Whether a record with that value is for committed readers to see. */
  isVisible(value: string): boolean {
    const transaction = this.sends.get(value)?.transaction ?? null
    return transaction === null || this.outcomes.get(transaction) === 'committed'
  }
}

function takesUnflushed(durability: Durability, ageMs: number): boolean {
  if (durability.kind === 'everyCommit') return false
  return durability.kind === 'none' || ageMs <= durability.flushMs + FLUSH_SLACK_MS
}

function emptyHistory({ sends, reads, final }: History): Finding[] {
  const missing = [
    ...(sends.some(({ outcome }) => outcome === 'acknowledged') ? [] : ['nothing was acknowledged']),
    ...(reads.length + final.length > 0 ? [] : ['nothing was read']),
    ...(final.length > 0 ? [] : ['the log is empty at the end']),
  ]
  return missing.map(message => ({ rule: 'empty-history', message }))
}

function lostWrites({ sends }: History, seen: Observations): Finding[] {
  const findings: Finding[] = []
  const survivors = new Map<string, Send[]>()
  const gone: Send[] = []
  for (const send of sends) {
    if (send.outcome !== 'acknowledged') continue
    if (send.transaction !== null && seen.outcomes.get(send.transaction) !== 'committed') continue
    if (!seen.finalByValue.has(send.value)) gone.push(send)
    else {
      const known = survivors.get(nameOf(send))
      if (known === undefined) survivors.set(nameOf(send), [send])
      else known.push(send)
    }
  }
  for (const send of gone) {
    const later = (survivors.get(nameOf(send)) ?? []).filter(({ offset }) => offset > send.offset)
    // Power loss takes a tail: what was acknowledged before it at a higher offset must have gone too.
    const isExcused = (crash: Crash) => later.every(({ endedAt }) => endedAt > crash.at)
    if (seen.thieves(send.topic, send.endedAt).some(isExcused)) continue
    const isTail = send.offset > (seen.finalEnds.get(nameOf(send)) ?? -1)
    findings.push({
      rule: isTail ? 'unseen' : 'lost-write',
      message: `${send.value} was acknowledged at ${placeOf(send)} (${seconds(send.endedAt)}) and is not in the log at the end`,
    })
  }
  return findings
}

function inconsistentOffsets(seen: Observations): Finding[] {
  const findings: Finding[] = []
  for (const [place, sightings] of seen.places) {
    for (let index = 1; index < sightings.length; index++) {
      const [before, after] = [sightings[index - 1]!, sightings[index]!]
      if (before.value === after.value) continue
      const topic = place.slice(0, place.lastIndexOf('-'))
      if (seen.thieves(topic, before.at).some(({ at }) => at <= after.at)) continue
      findings.push({
        rule: 'inconsistent-offset',
        message: `${place} was ${before.value} (${before.by}, ${seconds(before.at)}) and then ${after.value} (${after.by}, ${seconds(after.at)})`,
      })
    }
  }
  return findings
}

function duplicates({ reads }: History, seen: Observations): Finding[] {
  const places = new Map<string, Set<string>>()
  const add = (read: Read) => {
    const known = places.get(read.value)
    if (known === undefined) places.set(read.value, new Set([placeOf(read)]))
    else known.add(placeOf(read))
  }
  for (const read of reads) add(read)
  for (const list of seen.finalByValue.values()) for (const read of list) add(read)
  return [...places]
    .filter(([value, at]) => at.size > 1 && seen.sends.get(value)?.idempotent !== false)
    .map(([value, at]) => ({ rule: 'duplicate', message: `${value} is at ${[...at].join(' and ')}` }))
}

function nonmonotonicSends({ sends }: History): Finding[] {
  const latest = new Map<string, Send>()
  const findings: Finding[] = []
  for (const send of sends) {
    if (send.outcome !== 'acknowledged' || send.offset < 0 || !send.idempotent) continue
    const line = `${send.producer} ${nameOf(send)}`
    const before = latest.get(line)
    if (before !== undefined && before.offset >= send.offset) {
      findings.push({
        rule: 'nonmonotonic-send',
        message: `${before.value} was sent before ${send.value}, and acknowledged at ${placeOf(before)}, after ${placeOf(send)}`,
      })
    }
    latest.set(line, send)
  }
  return findings
}

/** What one reader saw of one partition between two jumps. */
function sessionsOf({ reads, sessions }: History): { reads: Read[]; from: number }[] {
  const lines = new Map<string, { reads: Read[]; from: number }>()
  const key = (of: Pick<Read, 'reader' | 'session' | 'topic' | 'partition'>) =>
    `${of.reader} ${of.session} ${nameOf(of)}`
  for (const start of sessions) lines.set(key(start), { reads: [], from: start.from })
  for (const read of reads) {
    const line = lines.get(key(read))
    if (line === undefined) lines.set(key(read), { reads: [read], from: read.offset })
    else line.reads.push(read)
  }
  return [...lines.values()]
}

function readerFindings(history: History, seen: Observations): Finding[] {
  return sessionsOf(history).flatMap(({ reads, from }) => {
    const findings: Finding[] = []
    let expected = from
    for (const read of reads) {
      if (read.offset < expected) {
        findings.push({
          rule: 'nonmonotonic-poll',
          message: `${read.reader} stood at ${expected} and was given ${placeOf(read)} (${seconds(read.at)})`,
        })
      }
      for (let skipped = expected; skipped < read.offset; skipped++) {
        const value = seen.finalPlaces.get(placeOf({ ...read, offset: skipped }))
        if (value === undefined || !(seen.isVisible(value) || !read.committedOnly)) continue
        findings.push({
          rule: 'poll-skip',
          message: `${read.reader} was given ${placeOf(read)} (${seconds(read.at)}) and never ${value} at ${skipped}`,
        })
      }
      expected = read.offset + 1
    }
    return findings
  })
}

function phantoms({ reads, final }: History, seen: Observations): Finding[] {
  const findings = new Map<string, Finding>()
  for (const read of [...reads, ...final]) {
    const send = seen.sends.get(read.value)
    const problem =
      send === undefined
        ? 'nobody sent it'
        : send.outcome === 'refused'
          ? 'its producer said that it was not sent'
          : send.topic !== read.topic
            ? `it was sent to ${send.topic}`
            : send.key !== read.key
              ? `it was sent with key ${send.key}, not ${read.key}`
              : null
    if (problem === null) continue
    findings.set(read.value, {
      rule: 'phantom',
      message: `${read.value} is at ${placeOf(read)} (${read.reader}, ${seconds(read.at)}), and ${problem}`,
    })
  }
  return [...findings.values()]
}
