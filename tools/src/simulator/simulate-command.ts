// `odradek simulate`: runs seeds through the simulator and tells what the checker found. Data on stdout, progress on stderr; exit code 3
// when a promise was broken. The first lines of a failing seed say how to run it again.
import { nearestName } from '@odradek/shared/base/suggestion'
import { Command, InvalidArgumentError } from 'commander'
import { CommandError, usageError } from '../cli/command-error.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import { integerFlag } from '../cli/terminal/flags.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import { type Scenario, scenarios } from './plan.rules.ts'
import { runSeed, type SimulationOutcome, type TraceLine } from './simulation.ts'

interface Flags {
  readonly seed?: number
  readonly seeds?: readonly [number, number]
  readonly scenario: string
  readonly trace: boolean
  readonly json: boolean
}

const DEFAULT_SEEDS = [1, 100] as const
/** Findings of one seed that are printed; the rest is counted. */
const FINDINGS_SHOWN = 10

export function simulateCommand(terminal: Terminal): Command {
  return new Command('simulate')
    .description(
      `run clusters, producers and consumers under a virtual clock, with faults decided by a seed, and check what clients saw\n\nscenarios:\n${scenarios
        .map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`)
        .join('\n')}`,
    )
    .option('--seed <n>', 'one seed', integerFlag({ max: 2 ** 32 - 1 }))
    .option('--seeds <from..to>', `several seeds (default ${DEFAULT_SEEDS.join('..')})`, seedRange)
    .option('--scenario <name>', `one of ${scenarios.map(({ name }) => name).join(', ')}`, 'storm')
    .option('--trace', 'print every transition, log line and fault, with its virtual time', false)
    .option('--json', 'one JSON object per seed on stdout', false)
    .action((flags: Flags) => simulateSeeds(terminal, flags))
}

/** `3..40`, or one number. */
function seedRange(given: string): readonly [number, number] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(given)
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
  if (match === null || from > to || to >= 2 ** 32) throw new InvalidArgumentError('It takes a range such as 1..100.')
  return [from, to]
}

async function simulateSeeds(terminal: Terminal, flags: Flags): Promise<void> {
  if (flags.seed !== undefined && flags.seeds !== undefined) throw usageError('give --seed or --seeds, not both')
  const scenario = scenarioOf(flags.scenario)
  const [from, to] = flags.seeds ?? (flags.seed === undefined ? DEFAULT_SEEDS : [flags.seed, flags.seed])
  const totals = { seeds: 0, broken: 0, virtualMs: 0, acknowledged: 0, reads: 0 }
  for (let seed = from; seed <= to; seed++) {
    const outcome = await runSeed({ seed, scenario, ...(flags.trace ? { trace: traced(terminal) } : {}) })
    totals.seeds++
    totals.broken += outcome.findings.length > 0 ? 1 : 0
    totals.virtualMs += outcome.virtualMs
    totals.acknowledged += outcome.acknowledged
    totals.reads += outcome.reads
    if (flags.json) terminal.print(JSON.stringify(outcome))
    else for (const line of report(outcome)) terminal.print(line)
    if (terminal.isInteractive) terminal.live(`${totals.seeds} of ${to - from + 1} seeds, ${totals.broken} broken`)
  }
  terminal.note(summary(scenario, totals))
  if (totals.broken > 0) throw new CommandError('', exitCodes.broken)
}

function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find(each => each.name === name)
  if (scenario !== undefined) return scenario
  const names = scenarios.map(each => each.name)
  const near = nearestName(name, names)
  throw usageError(
    `there is no scenario '${name}'${near === undefined ? `; there are ${names.join(', ')}` : `; did you mean ${near}?`}`,
  )
}

function traced(terminal: Terminal): (line: TraceLine) => void {
  return ({ at, life, what }) => terminal.print(`${(at / 1_000).toFixed(6).padStart(12)}  life ${life}  ${what}`)
}

/** How to see a seed fail again. */
export function reproduction({ seed, scenario }: Pick<SimulationOutcome, 'seed' | 'scenario'>): string {
  return `odradek simulate --seed ${seed} --scenario ${scenario} --trace`
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

function summary(
  { name }: Scenario,
  {
    seeds,
    broken,
    virtualMs,
    acknowledged,
    reads,
  }: { seeds: number; broken: number; virtualMs: number; acknowledged: number; reads: number },
): string {
  const time = `${(virtualMs / 60_000).toFixed(1)} virtual minutes`
  const work = `${acknowledged} records acknowledged, ${reads} read`
  return `${name}: ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${time}, ${work}; ${broken === 0 ? 'nothing found' : `${broken} broken`}`
}
