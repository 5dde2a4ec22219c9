// Runs a range of seeds of one scenario as a test, for the files that share the seeds among workers.
import { expect, test } from 'vitest'
import { scenarios } from './plan.rules.ts'
import { reproduction } from './simulate-command.ts'
import { runSeed } from './simulation.ts'

export function scenarioNamed(name: string) {
  const scenario = scenarios.find(each => each.name === name)
  expect(scenario, `there is a scenario ${name}`).toBeDefined()
  return scenario!
}

/** One test over the seeds `from` to `to`; its failure says how to run the seeds that failed. */
export function seedsKeepTheirPromises(name: string, from: number, to: number): void {
  test(`${name}: seeds ${from} to ${to} keep every promise`, { timeout: 300_000 }, async () => {
    const scenario = scenarioNamed(name)
    const broken: string[] = []
    let acknowledged = 0
    for (let seed = from; seed <= to; seed++) {
      const outcome = await runSeed({ seed, scenario })
      acknowledged += outcome.acknowledged
      const [first] = outcome.findings
      if (first !== undefined) broken.push(`${reproduction(outcome)}\n  ${first.rule}: ${first.message}`)
    }
    expect(broken).toEqual([])
    expect(acknowledged).toBeGreaterThan((to - from + 1) * 10)
  })
}
