// `odradek simulate`: runs seeds through the simulator and tells what the checker found. Data on stdout, progress on stderr; exit code 3
// when a promise was broken. The first lines of a failing seed say how to run it again.
import { nearestName } from '@odradek/shared/base/suggestion'
import { Command, InvalidArgumentError } from 'commander'
import { CommandError, usageError } from '../cli/command-error.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import { integerFlag } from '../cli/terminal/flags.ts'
import { withExamples, withList } from '../cli/terminal/help.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import { type Scenario, scenarios, type Weather, weathers } from './scenarios.rules.ts'
import { runSeed, type SimulationOutcome, type TraceLine } from './simulation.ts'

interface Flags {
  readonly seed?: number
  readonly seeds?: readonly [number, number]
  readonly scenario: string
  readonly weather: string
  readonly trace: boolean
  readonly json: boolean
}

const DEFAULT_SEEDS = [1, 100] as const
/** Findings of one seed that are printed; the rest is counted. */
const FINDINGS_SHOWN = 10

export function simulateCommand(terminal: Terminal): Command {
  const command = new Command('simulate')
    .description(
      'Runs a broker and its clients in one virtual process under a virtual clock; a seed decides all that happens and all that goes wrong, and a checker judges what ' +
        'clients saw. The same seed is the same history. Ends with 3 when a promise was broken.',
    )
    .option('--seed <n>', 'one seed', integerFlag({ max: 2 ** 32 - 1 }))
    .option('--seeds <from..to>', `several seeds (default: ${DEFAULT_SEEDS.join('..')})`, seedRange)
    .option('--scenario <name>', 'what clients do: see below', 'records')
    .option('--weather <name>', 'what goes wrong: see below', 'storm')
    .option('--trace', 'print every transition, log line and fault, with its virtual time', false)
    .option('--json', 'one JSON object per seed on stdout', false)
    .action((flags: Flags) => simulateSeeds(terminal, flags))
  withList(command, 'Scenarios: what clients do', scenarios)
  withList(command, 'Weathers: what goes wrong', weathers)
  return withExamples(command, [
    ['simulate', 'a hundred seeds of records in a storm'],
    ['simulate --scenario groups --weather deaths --seeds 1..500'],
    ['simulate --seed 14 --scenario pipeline --trace'],
  ])
}

/** `3..40`, or one number. */
function seedRange(given: string): readonly [number, number] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(given)
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
  if (match === null || from > to || to >= 2 ** 32) throw new InvalidArgumentError('It takes a range such as 1..100.')
  return [from, to]
}

interface Totals {
  seeds: number
  broken: number
  virtualMs: number
  acknowledged: number
  reads: number
  assignments: number
  committed: number
  copied: number
}

async function simulateSeeds(terminal: Terminal, flags: Flags): Promise<void> {
  if (flags.seed !== undefined && flags.seeds !== undefined) throw usageError('give --seed or --seeds, not both')
  const scenario = named<Scenario>('scenario', scenarios, flags.scenario)
  const weather = named<Weather>('weather', weathers, flags.weather)
  const [from, to] = flags.seeds ?? (flags.seed === undefined ? DEFAULT_SEEDS : [flags.seed, flags.seed])
  const totals: Totals = {
    seeds: 0,
    broken: 0,
    virtualMs: 0,
    acknowledged: 0,
    reads: 0,
    assignments: 0,
    committed: 0,
    copied: 0,
  }
  for (let seed = from; seed <= to; seed++) {
    const outcome = await runSeed({ seed, scenario, weather, ...(flags.trace ? { trace: traced(terminal) } : {}) })
    totals.seeds++
    totals.broken += outcome.findings.length > 0 ? 1 : 0
    for (const name of COUNTED) totals[name] += outcome[name]
    if (flags.json) terminal.print(JSON.stringify(outcome))
    else for (const line of report(outcome)) terminal.print(line)
    if (terminal.isInteractive) terminal.live(`${totals.seeds} of ${to - from + 1} seeds, ${totals.broken} broken`)
  }
  terminal.note(`${scenario.name}, ${weather.name}: ${summary(totals)}`)
  if (totals.broken > 0) throw new CommandError('', exitCodes.broken)
}

const COUNTED = ['virtualMs', 'acknowledged', 'reads', 'assignments', 'committed', 'copied'] as const

function namesOf(choices: readonly { readonly name: string }[]): string {
  return choices.map(({ name }) => name).join(', ')
}

function named<T extends { readonly name: string }>(what: string, choices: readonly T[], name: string): T {
  const choice = choices.find(each => each.name === name)
  if (choice !== undefined) return choice
  const near = nearestName(
    name,
    choices.map(each => each.name),
  )
  throw usageError(
    `there is no ${what} '${name}'${near === undefined ? `; there are ${namesOf(choices)}` : `; did you mean ${near}?`}`,
  )
}

function traced(terminal: Terminal): (line: TraceLine) => void {
  return ({ at, life, what }) => terminal.print(`${(at / 1_000).toFixed(6).padStart(12)}  life ${life}  ${what}`)
}

/** How to see a seed fail again. */
export function reproduction({
  seed,
  scenario,
  weather,
}: Pick<SimulationOutcome, 'seed' | 'scenario' | 'weather'>): string {
  return `odradek simulate --seed ${seed} --scenario ${scenario} --weather ${weather} --trace`
}

function report(outcome: SimulationOutcome): string[] {
  const { findings } = outcome
  if (findings.length === 0) return []
  const shown = findings.slice(0, FINDINGS_SHOWN).map(({ rule, message }) => `  ${rule}: ${message}`)
  const more = findings.length - shown.length
  return [
    `seed ${outcome.seed}: ${reproduction(outcome)}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more findings`] : []),
  ]
}

function summary({ seeds, broken, virtualMs, acknowledged, reads, assignments, committed, copied }: Totals): string {
  const work = [
    `${acknowledged} records acknowledged`,
    `${reads} read`,
    ...(assignments > 0 ? [`${assignments} assignments`] : []),
    ...(committed > 0 ? [`${committed} transactions committed`] : []),
    ...(copied > 0 ? [`${copied} records copied`] : []),
  ]
  const time = `${(virtualMs / 60_000).toFixed(1)} virtual minutes`
  const found = broken === 0 ? 'nothing found' : `${broken} broken`
  return `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${time}, ${work.join(', ')}; ${found}`
}
