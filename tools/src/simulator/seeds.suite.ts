// Runs a range of seeds as a test, for the files that share the seeds among workers.
import { expect, test } from 'vitest'
import { type Scenario, scenarios, type Weather, weathers } from './scenarios.rules.ts'
import { reproduction } from './simulate-command.ts'
import { runSeed } from './simulation.ts'

export function scenarioNamed(name: string): Scenario {
  return named(scenarios, name)
}

export function weatherNamed(name: string): Weather {
  return named(weathers, name)
}

function named<T extends { readonly name: string }>(choices: readonly T[], name: string): T {
  const choice = choices.find(each => each.name === name)
  expect(choice, `there is ${name}`).toBeDefined()
  return choice!
}

/** One test over the seeds `from` to `to`; its failure says how to run the seeds that failed. */
export function seedsKeepTheirPromises(
  { scenario, weather }: { readonly scenario: string; readonly weather: string },
  from: number,
  to: number,
): void {
  test(`${scenario}, ${weather}: seeds ${from} to ${to} keep every promise`, { timeout: 300_000 }, async () => {
    const broken: string[] = []
    const done = { acknowledged: 0, assignments: 0, committed: 0, copied: 0 }
    for (let seed = from; seed <= to; seed++) {
      const outcome = await runSeed({ seed, scenario: scenarioNamed(scenario), weather: weatherNamed(weather) })
      for (const name of Object.keys(done) as (keyof typeof done)[]) done[name] += outcome[name]
      const [first] = outcome.findings
      if (first !== undefined) broken.push(`${reproduction(outcome)}\n  ${first.rule}: ${first.message}`)
    }
    expect(broken).toEqual([])
    const seeds = to - from + 1
    expect(done.acknowledged).toBeGreaterThan(seeds * 5)
    const { hasGroups, uses } = scenarioNamed(scenario)
    if (hasGroups) expect(done.assignments).toBeGreaterThan(seeds * 2)
    if (uses.includes('transactions')) expect(done.committed).toBeGreaterThan(seeds * 2)
    if (uses.includes('output')) expect(done.copied).toBeGreaterThan(seeds * 2)
  })
}
