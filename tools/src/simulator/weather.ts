// What goes wrong while a process lives: the faults of its world change every few hundred milliseconds, threads stall and die.
import { noFaults } from '@odradek/shared/actor/simulated-channel'
import type { Random } from '@odradek/shared/base/random'
import type { LifePlan } from './plan.rules.ts'
import { pick } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'

export interface WeatherReport {
  note(what: string): void
}

/** Runs until it is `over`; then nothing goes wrong any more. */
export async function weather(
  life: ProcessLife,
  { troubles }: LifePlan,
  random: Random,
  { note }: WeatherReport,
): Promise<{ calm(): void }> {
  const { world } = life
  let isOver = false
  const change = () => {
    if (isOver) return
    const has = (trouble: (typeof troubles)[number]) => troubles.includes(trouble) && random.int(2) === 0
    world.faults = {
      ...noFaults,
      delayMaxMs: has('delays') ? pick(random, [2, 20, 100]) : noFaults.delayMaxMs,
      close: has('closes') ? pick(random, [0.002, 0.01, 0.05]) : 0,
      actorDeath: has('actorDeaths') ? pick(random, [0.001, 0.005, 0.02]) : 0,
      laneDeath: has('laneDeaths') ? pick(random, [0.001, 0.01]) : 0,
    }
    note(`faults ${JSON.stringify(world.faults)}`)
    if (has('pauses')) pauseSome()
    world.clock.after(50 + random.int(500), change)
  }
  const pauseSome = () => {
    const lane = pick(random, world.lanes)
    const ms = pick(random, [10, 100, 1_000])
    note(`lane ${lane} stalls for ${ms} ms`)
    world.pause(lane, ms)
  }
  if (troubles.length > 0) change()
  return {
    calm() {
      isOver = true
      world.faults = noFaults
      note('faults stop')
    },
  }
}
