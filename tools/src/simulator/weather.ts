// What goes wrong while a process lives: the faults of its world change every few hundred milliseconds, threads stall and die, requests come twice, the disk refuses.
import { noFaults } from '@odradek/shared/actor/simulated-channel'
import type { Random } from '@odradek/shared/base/random'
import { pick } from './client-plans.rules.ts'
import type { Disk } from './disk.ts'
import type { LifePlan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'
import type { Trouble } from './scenarios.rules.ts'

/** Goes on until it is told to be `calm`; then nothing goes wrong any more. */
export function beginWeather(
  { life, disk }: { readonly life: ProcessLife; readonly disk: Disk },
  { troubles }: LifePlan,
  random: Random,
  note: (what: string) => void,
): { calm(): void } {
  const { world, echoes, refusals, stragglers } = life
  let isOver = false
  const change = () => {
    if (isOver) return
    const has = (trouble: Trouble) => troubles.includes(trouble) && random.int(2) === 0
    world.faults = {
      ...noFaults,
      delayMaxMs: has('delays') ? pick(random, [2, 20, 100]) : noFaults.delayMaxMs,
      close: has('closes') ? pick(random, [0.002, 0.01, 0.05]) : 0,
      actorDeath: has('actorDeaths') ? pick(random, [0.001, 0.005, 0.02]) : 0,
      laneDeath: has('laneDeaths') ? pick(random, [0.001, 0.01]) : 0,
    }
    echoes.share = has('echoes') ? pick(random, [0.1, 0.5]) : 0
    stragglers.share = has('stragglers') ? pick(random, [0.2, 0.5]) : 0
    refusals.share = has('refusals') ? pick(random, [0.05, 0.2, 0.5]) : 0
    disk.isFull = has('fullDisk') && random.int(2) === 0
    disk.failsFlushes = has('failingFlushes') && random.int(2) === 0
    const { isFull, failsFlushes } = disk
    const shares = { echoes: echoes.share, refusals: refusals.share, stragglers: stragglers.share }
    note(`faults ${JSON.stringify({ ...world.faults, ...shares, isFull, failsFlushes })}`)
    if (has('pauses')) pauseSome()
    if (has('actorDeaths') && life.coordinators.size > 0) killCoordinator()
    world.clock.after(50 + random.int(500), change)
  }
  const pauseSome = () => {
    const lane = pick(random, world.lanes)
    const ms = pick(random, [10, 100, 1_000])
    note(`lane ${lane} stalls for ${ms} ms`)
    world.pause(lane, ms)
  }
  /** There are few of them, and what they forget matters most. */
  const killCoordinator = () => {
    const coordinator = pick(random, [...life.coordinators.values()])
    note(`${coordinator.name} dies`)
    world.kill(coordinator)
  }
  if (troubles.length > 0) change()
  return {
    calm() {
      isOver = true
      world.faults = noFaults
      echoes.share = 0
      refusals.share = 0
      stragglers.share = 0
      disk.recover()
      note('faults stop')
    },
  }
}
