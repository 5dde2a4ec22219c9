// Many callers before a coordinator that is slow, refuses, loads and dies: whatever is gathered, everybody is told what he would have been told alone.
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { type AskedCommit, commitScene, offsetOf } from './commit-scene.suite.ts'

const SEEDS = 60
const COMMITS = 80
const PARTITIONS = 3
const METADATA_MAX = 4
const PASSING: readonly ErrorName[] = ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNKNOWN_TOPIC_OR_PARTITION']

/** Takes what its metadata allow, unless it has a bad moment: then some or all is refused for now, or its answer is lost. */
class MoodyCoordinator {
  readonly committed = new Map<number, number>()
  readonly setBack: string[] = []
  readonly #random: Random
  requests = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Decides when the request arrives, as a coordinator does; the answer takes its time. */
  take({ request, answer, lose }: AskedCommit): () => void {
    this.requests++
    const mood = this.#random.int(6)
    if (mood === 0 && this.#random.int(2) === 0) return lose
    const codes: { [partition: string]: ErrorName } = {}
    for (const { partitionIndex, committedOffset, committedMetadata } of request.topics[0]!.partitions) {
      const name = `words-${partitionIndex}`
      if (mood === 1 && this.#random.int(2) === 0) codes[name] = PASSING[this.#random.int(PASSING.length)]!
      else if (committedMetadata!.length > METADATA_MAX) codes[name] = 'OFFSET_METADATA_TOO_LARGE'
      else this.#set(partitionIndex, committedOffset)
    }
    return mood === 0 ? lose : () => answer(codes)
  }

  #set(partition: number, offset: number): void {
    if (offset < (this.committed.get(partition) ?? 0)) this.setBack.push(`${partition}@${offset}`)
    this.committed.set(partition, offset)
  }
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))('seed %i', async seed => {
  const random = seededRandom(seed)
  const coordinator = new MoodyCoordinator(random.fork())
  const scene = commitScene({
    seed,
    onAsked: asked => {
      const answer = coordinator.take(asked)
      scene.world.clock.after(random.int(20), answer)
    },
  })
  const { world, commits } = scene
  let open = 0
  for (let offset = 1; offset <= COMMITS; offset++) {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(() => random.int(2) === 0)
    const offsets = partitions.map(partition =>
      offsetOf(partition, offset, 'x'.repeat(random.int(10) === 0 ? 5 : random.int(2))),
    )
    const isTooLarge = offsets.some(({ metadata }) => metadata.length > METADATA_MAX)
    open++
    commits
      .commit(offsets, 600_000)
      .then(
        () => {
          expect(isTooLarge).toBe(false)
          for (const partition of partitions)
            expect(coordinator.committed.get(partition)).toBeGreaterThanOrEqual(offset)
        },
        ({ detail }) => {
          expect(isTooLarge).toBe(true)
          expect(detail).toMatchObject({ kafkaCode: errors.OFFSET_METADATA_TOO_LARGE.code })
        },
      )
      .then(
        () => open--,
        wrong => scene.told.push(`${offset}: ${wrong.message}`),
      )
    if (random.int(3) === 0) await world.advance(random.int(15))
  }
  await world.advance(600_000)
  expect(scene.told).toEqual([])
  expect(open).toBe(0)
  expect(coordinator.setBack).toEqual([])
  expect(coordinator.requests).toBeGreaterThan(5)
})
