// What transactional clients were told, held against what readers see at the end. The words are Jepsen's (PROMISES).
import type { TransactionHouse } from './transaction-house.suite.ts'

export type Outcome = 'committed' | 'aborted' | 'unknown'

/** One transaction as its client knows it. */
export interface TransactionStory {
  /** Of the client. */
  readonly name: string
  readonly number: number
  readonly partitions: readonly number[]
  /** The offset it carried; null: none. */
  readonly offset: number | null
  /** `unknown`: a commit was asked for, and nobody said what became of it. */
  outcome: Outcome
}

export type Anomaly =
  | 'lost-write'
  | 'duplicate'
  | 'aborted-read'
  | 'torn-transaction'
  | 'stuck-lso'
  | 'disorder'
  | 'wrong-offset'
  /** A client is still told to try again. */
  | 'never-ends'

const PARTITIONS = [0, 1, 2]

export function textOf({ name, number }: { readonly name: string; readonly number: number }): string {
  return `${name}/${number}`
}

/** Every anomaly, with what shows it. An empty history is one too. */
export async function anomaliesOf(
  house: TransactionHouse,
  history: readonly TransactionStory[],
): Promise<[Anomaly, string][]> {
  const found: [Anomaly, string][] = []
  if (history.length === 0) found.push(['lost-write', 'nothing was tried'])
  const read: string[][] = []
  for (const partition of PARTITIONS) {
    const { values, hidden } = await house.readCommitted(partition)
    if (hidden !== 0) found.push(['stuck-lso', `partition ${partition} hides ${hidden} offsets`])
    read.push(values)
    found.push(...disorderIn(values, partition))
  }
  for (const story of history) found.push(...anomaliesIn(story, read))
  for (const name of new Set(history.map(story => story.name))) {
    found.push(...offsetAnomalies(await settledOffset(house, name), name, history))
  }
  return found
}

/** The group's coordinator may have to start first. */
async function settledOffset(house: TransactionHouse, groupId: string): Promise<number | string> {
  for (let attempt = 0; ; attempt++) {
    const offset = await house.committedOffset(groupId)
    if (typeof offset === 'number' || attempt > 100) return offset
    await house.sleep(100)
  }
}

function anomaliesIn(story: TransactionStory, read: readonly string[][]): [Anomaly, string][] {
  const value = textOf(story)
  const counts = story.partitions.map(partition => read[partition]!.filter(each => each === value).length)
  if (counts.some(count => count > 1)) return [['duplicate', value]]
  const seen = counts.filter(count => count === 1).length
  if (story.outcome === 'aborted' && seen > 0) return [['aborted-read', value]]
  if (seen > 0 && seen < counts.length) return [['torn-transaction', `${value}: ${seen} of ${counts.length}`]]
  return story.outcome === 'committed' && seen === 0 ? [['lost-write', value]] : []
}

/** Values of one client are in the order of its transactions. */
function disorderIn(values: readonly string[], partition: number): [Anomaly, string][] {
  const last = new Map<string, number>()
  return values.flatMap((value): [Anomaly, string][] => {
    const [name, number] = value.split('/') as [string, string]
    const before = last.get(name) ?? -1
    last.set(name, Number(number))
    return Number(number) < before ? [['disorder', `${value} after ${before} in partition ${partition}`]] : []
  })
}

/** The offset is that of the last committed transaction that carried one, or of a later one whose end nobody knows. */
function offsetAnomalies(
  committed: number | string,
  name: string,
  history: readonly TransactionStory[],
): [Anomaly, string][] {
  const carried = history.filter(story => story.name === name && story.offset !== null && story.outcome !== 'aborted')
  const last = carried.filter(({ outcome }) => outcome === 'committed').at(-1)
  const possible = carried.slice(last === undefined ? 0 : carried.indexOf(last)).map(({ offset }) => offset as number)
  if (last === undefined) possible.push(-1)
  return possible.includes(committed as number)
    ? []
    : [['wrong-offset', `${name}: ${committed}, possible ${possible.join(' ')}`]]
}
