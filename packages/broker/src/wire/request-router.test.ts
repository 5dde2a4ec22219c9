// What is served is what is told, and what is not served is listed with its reason.
import { readFileSync } from 'node:fs'
import { apiTable } from '@odradek/shared/protocol/api-table'
import { expect, test } from 'vitest'
import { apiVersionsAnswer } from './api-versions.rules.ts'
import { routes, serves } from './request-router.ts'

/** The keys in the first column of handlers/skipped.md: numbers and ranges. */
function skippedKeys(): readonly number[] {
  const page = readFileSync(new URL('./handlers/skipped.md', import.meta.url), 'utf8')
  const cells = [...page.matchAll(/^\| (\d[\d, -]*?) +\|/gm)].map(([, cell]) => cell!)
  return cells
    .flatMap(cell => cell.split(','))
    .flatMap(range => {
      const [from, to = from] = range.trim().split('-').map(Number) as [number, number?]
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })
}

test('every API of Kafka is either served or listed as skipped, never both', () => {
  const served = [...routes.keys()]
  const skipped = skippedKeys()
  expect(skipped.length).toBeGreaterThan(10)
  expect([...served, ...skipped].toSorted((a, b) => a - b)).toEqual(apiTable.map(({ key }) => key))
})

test('ApiVersions tells for each API that is served the stable versions of Kafka 4.3', () => {
  const told = apiVersionsAnswer({ epoch: 3, levels: { 'transaction.version': 2 } }).apiKeys
  expect(told.map(({ apiKey }) => apiKey)).toEqual([...routes.keys()])
  for (const { apiKey, minVersion, maxVersion } of told) {
    const api = apiTable.find(({ key }) => key === apiKey)!
    // Older librdkafka takes a broker without Produce 0 for one that cannot compress (KAFKA-18659).
    expect([api.name, minVersion, maxVersion]).toEqual([
      api.name,
      api.name === 'Produce' ? 0 : api.versionMin,
      api.versionStableMax,
    ])
  }
})

test('a version outside of what is told is not served', () => {
  for (const route of routes.values()) {
    expect(serves(route, route.api.versionMin)).toBe(true)
    expect(serves(route, route.api.versionStableMax)).toBe(true)
    expect(serves(route, route.api.versionMin - 1)).toBe(false)
    expect(serves(route, route.api.versionStableMax + 1)).toBe(false)
  }
})
