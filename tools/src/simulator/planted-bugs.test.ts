// The checker is worth its name: each of these bugs is found within a hundred seeds.
import { expect, test } from 'vitest'
import type { FindingRule } from './checker.rules.ts'
import { ackBeforeAppend, forgottenProducers, skippedFlush } from './planted-bugs.suite.ts'
import { scenarioNamed } from './seeds.suite.ts'
import { type Plant, runSeed } from './simulation.ts'

const SEEDS_MAX = 100

/** The first seed in which one of the rules is found broken. */
async function found(plant: Plant, scenario: string, rules: readonly FindingRule[]): Promise<number> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { findings } = await runSeed({ seed, scenario: scenarioNamed(scenario), plant })
    if (findings.some(({ rule }) => (rules as readonly string[]).includes(rule))) return seed
  }
  return Number.POSITIVE_INFINITY
}

test.each<[string, Plant, string, readonly FindingRule[]]>([
  ['a leader that acknowledges before it appends', ackBeforeAppend, 'restarts', ['lost-write', 'unseen']],
  ['a log that forgets its producers on restart', forgottenProducers, 'deaths', ['duplicate']],
  ['a log that skips its flush mark', skippedFlush, 'restarts', ['lost-write', 'unseen']],
])('%s is caught within 100 seeds', { timeout: 120_000 }, async (_, plant, scenario, rules) => {
  expect(await found(plant, scenario, rules)).toBeLessThanOrEqual(SEEDS_MAX)
})
