// The checker is worth its name: each of these bugs is found within a hundred seeds.
import { expect, test } from 'vitest'
import {
  ackBeforeAppend,
  endsRaiseNoEpoch,
  epochNotBumped,
  forgottenMarkers,
  forgottenProducers,
  lateMarkersCount,
  lostStaticMapping,
  oldGenerationsCommit,
  skippedFlush,
  stableOffsetPlusOne,
  stagedOffsetsVisible,
  trustedFlush,
  twoOwners,
} from './planted-bugs.suite.ts'
import { scenarioNamed, weatherNamed } from './seeds.suite.ts'
import { type Plant, runSeed } from './simulation.ts'

const SEEDS_MAX = 100

/** The first seed in which one of the rules is found broken. */
async function found(
  plant: Plant,
  [scenario, weather]: readonly [string, string],
  rules: readonly string[],
): Promise<number> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { findings } = await runSeed({
      seed,
      scenario: scenarioNamed(scenario),
      weather: weatherNamed(weather),
      plant,
    })
    if (findings.some(({ rule }) => rules.includes(rule))) return seed
  }
  return Number.POSITIVE_INFINITY
}

test.each<[string, Plant, readonly [string, string], readonly string[]]>([
  ['a leader that acknowledges before it appends', ackBeforeAppend, ['records', 'deaths'], ['lost-write', 'unseen']],
  ['a log that forgets its producers on restart', forgottenProducers, ['records', 'storm'], ['duplicate']],
  ['a log that skips its flush mark', skippedFlush, ['records', 'restarts'], ['lost-write', 'unseen']],
  ['a log that goes on after a failed flush', trustedFlush, ['records', 'disks'], ['lost-write', 'unseen']],
  ['a partition with two owners', twoOwners, ['groups', 'calm'], ['two-owners', 'fenced-commit']],
  [
    'a commit that is taken from an old generation',
    oldGenerationsCommit,
    ['groups', 'deaths'],
    ['fenced-commit', 'lost-commit'],
  ],
  ['a static mapping that is lost', lostStaticMapping, ['groups', 'deaths'], ['wrongly-fenced']],
  ['markers that are forgotten after a recovery', forgottenMarkers, ['transactions', 'deaths'], ['stuck-lso', 'stuck']],
  [
    'a last stable offset that is one too high',
    stableOffsetPlusOne,
    ['transactions', 'calm'],
    ['aborted-read', 'dirty-read'],
  ],
  [
    'a delayed EndTxn that ends the next transaction',
    endsRaiseNoEpoch,
    ['transactions', 'links'],
    ['aborted-read', 'dirty-read', 'torn-transaction', 'lost-write'],
  ],
  [
    'a late marker of a dead coordinator that ends the next transaction',
    lateMarkersCount,
    ['transactions', 'deaths'],
    ['aborted-read', 'dirty-read', 'torn-transaction', 'lost-write'],
  ],
  ['staged offsets that are seen early', stagedOffsetsVisible, ['transactions', 'calm'], ['early-offset']],
  [
    'an epoch that is not bumped',
    epochNotBumped,
    ['transactions', 'calm'],
    ['aborted-read', 'dirty-read', 'torn-transaction', 'lost-write'],
  ],
])('%s is caught within 100 seeds', { timeout: 300_000 }, async (_, plant, where, rules) => {
  expect(await found(plant, where, rules)).toBeLessThanOrEqual(SEEDS_MAX)
})
