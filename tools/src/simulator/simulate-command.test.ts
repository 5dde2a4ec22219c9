// The command as users run it, and that a seed repeats.
import { describe, expect, test } from 'vitest'
import { run } from '../cli/run.ts'
import { capturedTerminal } from '../cli/terminal/captured-terminal.suite.ts'
import { ackBeforeAppend } from './planted-bugs.suite.ts'
import { scenarioNamed } from './seeds.suite.ts'
import { reproduction } from './simulate-command.ts'
import { runSeed } from './simulation.ts'

async function simulate(...args: string[]) {
  const terminal = capturedTerminal()
  const exitCode = await run(['simulate', ...args], terminal)
  return { exitCode, out: terminal.out, notes: terminal.notes.join('\n') }
}

describe('odradek simulate', () => {
  test('runs a seed and says what it did', async () => {
    const { exitCode, notes } = await simulate('--seed', '3', '--scenario', 'calm')
    expect(exitCode).toBe(0)
    expect(notes).toMatch(/^calm: 1 seed, .* virtual minutes, \d+ records acknowledged, \d+ read; nothing found$/m)
  })

  test('prints one JSON object per seed', async () => {
    const { out } = await simulate('--seeds', '1..3', '--scenario', 'calm', '--json')
    const outcomes = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(outcomes.map(({ seed, findings }) => [seed, findings])).toEqual([1, 2, 3].map(seed => [seed, []]))
  })

  test('traces what happened, with virtual times', async () => {
    const { out } = await simulate('--seed', '1', '--scenario', 'calm', '--trace')
    expect(out).toMatch(/^ *\d+\.\d{6} {2}life 1 {2}partition-leader topic-0-0: partition-leader Opening -> Leading/m)
  })

  test.each([
    [['--scenario', 'strom'], /did you mean storm/],
    [['--seed', '1', '--seeds', '1..2'], /--seed or --seeds/],
    [['--seeds', '5..1'], /range such as 1\.\.100/],
    [['--seed', 'x'], /integer/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, notes } = await simulate(...args)
    expect(exitCode).toBe(2)
    expect(notes).toMatch(message)
  })
})

test('a seed repeats exactly, also one that fails', async () => {
  const scenario = scenarioNamed('restarts')
  const first = await runSeed({ seed: 4, scenario, plant: ackBeforeAppend })
  const second = await runSeed({ seed: 4, scenario, plant: ackBeforeAppend })
  expect(second).toEqual(first)
  expect((await runSeed({ seed: 5, scenario })).fingerprint).not.toBe(first.fingerprint)
  expect(reproduction(first)).toBe('odradek simulate --seed 4 --scenario restarts --trace')
})
