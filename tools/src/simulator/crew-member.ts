// What every client of a simulation is to the crew that it belongs to.
import type { Random } from '@odradek/shared/base/random'
import type { History } from './history.ts'
import type { Plan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'

/** Where each partition ends now, by `topic-partition`. */
export type Ends = ReadonlyMap<string, number>

export interface CrewMember {
  readonly name: string
  /** Works until that time (ms since the run began); may take longer, and go on by itself afterwards. */
  work(until: number): Promise<void>
  /** Nothing goes wrong any more: what was begun is brought to its end, from now on everything goes forward. */
  settle(): Promise<void>
  /** What it still has to reach; null: it is where it should be. Asked again and again after `settle`. */
  behind(ends: Ends): Promise<string | null>
  /** Ends in order. */
  close(): Promise<void>
}

/** What a client is made with. */
export interface Surroundings {
  readonly life: ProcessLife
  readonly plan: Plan
  readonly history: History
  readonly random: Random
}
