// Which Apache Kafka a broker is about as old as, told by the newest Fetch that it serves: for people who read that it lacks something. Pure.
import type { BrokerAbilities } from './negotiation.rules.ts'

/** First release with that version of Fetch, newest first. */
const releases: readonly (readonly [fetchVersion: number, release: string])[] = [
  [18, '4.1'],
  [17, '3.9'],
  [16, '3.7'],
  [15, '3.5'],
  [13, '3.1'],
  [12, '2.7'],
  [11, '2.3'],
  [10, '2.1'],
  [8, '2.0'],
  [7, '1.1'],
  [6, '1.0'],
  [5, '0.11'],
  [3, '0.10.1'],
  [2, '0.10.0'],
]
const FETCH_KEY = 1

/** `as old as Apache Kafka 2.7`; null when it serves no Fetch (a controller, or something else). */
export function ageOf({ versions }: BrokerAbilities): string | null {
  const max = versions.get(FETCH_KEY)?.max
  if (max === undefined) return null
  const index = releases.findIndex(([version]) => version <= max)
  if (index < 0) return 'older than Apache Kafka 0.10'
  const [, since] = releases[index]!
  const next = releases[index - 1]?.[1]
  return next === undefined ? `Apache Kafka ${since} or newer` : `from Apache Kafka ${since} to before ${next}`
}
