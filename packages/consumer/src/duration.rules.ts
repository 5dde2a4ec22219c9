// ISO 8601 durations as Java's Duration.parse takes them (`auto.offset.reset=by_duration:P1DT12H`, KIP-1106). Pure.

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i
const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Milliseconds of the duration; undefined for what is none, and for negative ones, which Kafka refuses here. */
export function readDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null || /^P$|T$/i.test(text)) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  const sum =
    Number(days) * DAY_MS + Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS
  return Number.isSafeInteger(Math.floor(sum)) ? Math.floor(sum) : undefined
}
