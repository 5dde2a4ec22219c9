// The command as users run it, and that a seed repeats.
import { describe, expect, test } from 'vitest'
import { odradek } from '../cli/odradek-process.suite.ts'
import { run } from '../cli/run.ts'
import { capturedTerminal } from '../cli/terminal/captured-terminal.suite.ts'
import { ackBeforeAppend } from './planted-bugs.suite.ts'
import { scenarios } from './scenarios.rules.ts'
import { scenarioNamed, weatherNamed } from './seeds.suite.ts'
import { reproduction } from './simulate-command.ts'
import { runSeed } from './simulation.ts'

async function simulate(...args: string[]) {
  const terminal = capturedTerminal()
  const exitCode = await run(['simulate', ...args], terminal)
  return { exitCode, out: terminal.out, notes: terminal.notes.join('\n') }
}

describe('odradek simulate', () => {
  test('runs a seed and says what it did', async () => {
    const { exitCode, notes } = await simulate('--seed', '3', '--weather', 'calm')
    expect(exitCode).toBe(0)
    expect(notes).toMatch(
      /^records, calm: 1 seed, .* virtual minutes, \d+ records acknowledged, \d+ read; nothing found$/m,
    )
  })

  test('prints one JSON object per seed', async () => {
    const { out } = await simulate('--seeds', '1..3', '--weather', 'calm', '--json')
    const outcomes = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(outcomes.map(({ seed, findings }) => [seed, findings])).toEqual([1, 2, 3].map(seed => [seed, []]))
  })

  test('traces what happened, with virtual times', async () => {
    const { out } = await simulate('--seed', '1', '--weather', 'calm', '--trace')
    expect(out).toMatch(/^ *\d+\.\d{6} {2}life 1 {2}partition-leader topic-0-0: partition-leader Opening -> Leading/m)
  })

  test.each([
    [['--weather', 'strom'], /did you mean storm/],
    [['--scenario', 'group'], /did you mean groups/],
    [['--seed', '1', '--seeds', '1..2'], /--seed or --seeds/],
    [['--seeds', '5..1'], /range such as 1\.\.100/],
    [['--seed', 'x'], /integer/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, notes } = await simulate(...args)
    expect(exitCode).toBe(2)
    expect(notes).toMatch(message)
  })
})

test('a seed repeats exactly, also one that fails', { timeout: 300_000 }, async () => {
  const options = { scenario: scenarioNamed('records'), weather: weatherNamed('restarts') }
  const first = await runSeed({ seed: 4, ...options, plant: ackBeforeAppend })
  const second = await runSeed({ seed: 4, ...options, plant: ackBeforeAppend })
  expect(second).toEqual(first)
  expect((await runSeed({ seed: 5, ...options })).fingerprint).not.toBe(first.fingerprint)
  expect(reproduction(first)).toBe('odradek simulate --seed 4 --scenario records --weather restarts --trace')
})

/** Which files the code stands in is the one thing that may differ between here, where sources run, and a program. */
function withoutStacks(history: string): string[] {
  return history.replaceAll(/"stack":"(?:[^"\\]|\\.)*"/g, '"stack":""').split('\n')
}

// Here, where the test runner loads modules in its own time, and in two programs: how long a module takes must not show.
test.each(scenarios.map(({ name }) => name))(
  '%s: the same seed is the same history, to the last line, wherever it runs',
  { timeout: 300_000 },
  async name => {
    const args = ['--seed', '11', '--scenario', name, '--weather', 'storm', '--trace']
    const { exitCode, out } = await simulate(...args)
    expect(exitCode).toBe(0)
    const here = withoutStacks(out)
    expect(here.length).toBeGreaterThan(50)
    for (let program = 0; program < 2; program++) {
      const { code, stdout } = await odradek(['simulate', ...args])
      expect(code).toBe(0)
      const there = withoutStacks(stdout)
      const differs = here.findIndex((line, n) => line !== there[n])
      expect({ line: differs, here: here[differs], there: there[differs] }).toEqual({ line: -1 })
      expect(there.length).toBe(here.length)
    }
  },
)
