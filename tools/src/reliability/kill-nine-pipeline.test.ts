// SIGKILL of a process that runs pipelines, again and again: with the broker inside it, and with a broker that lives on. What went in comes out exactly once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@odradek/broker/create-broker'
import { seededRandom } from '@odradek/shared/base/random'
import type { BootstrapServers } from '@odradek/shared/client/common-options'
import { afterAll, expect, test } from 'vitest'
import { ChildProgram } from './child-program.ts'
import { copiedTopics, copyingConfigs, copyingVerdict } from './copying-pipelines.ts'
import { exactlyOnce } from './exactly-once.rules.ts'
import { damages } from './reading-back.ts'

/** More where there is time for it. */
const ROUNDS = process.env.CI ? 30 : 4

const dir = mkdtempSync(join(tmpdir(), 'odradek-kill-pipeline-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** One life of the copying process, ended some while after so many lines; the moment is up to the machine. */
async function life(args: readonly string[], lines: number): Promise<void> {
  const child = new ChildProgram('copying', args)
  for (let heard = 0; heard < lines; heard++) {
    if ((await child.line()) === null) throw new Error(`${args} ended by itself: ${(await child.ended()).errors}`)
  }
  child.kill()
  expect((await child.ended()).signal).toBe('SIGKILL')
}

async function expectExactlyOnce(bootstrapServers: BootstrapServers): Promise<void> {
  const { records, verdict } = await copyingVerdict(bootstrapServers)
  expect(records).toBeGreaterThan(ROUNDS * 50)
  expect(verdict).toEqual(exactlyOnce)
}

test(`broker and pipelines in one process, ${ROUNDS} rounds of kill -9: every record comes out once`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(4)
  const logs = join(dir, 'in-process')
  for (let n = 0; n < ROUNDS; n++) await life(['directory', logs, `round${n}`], 1 + random.int(12))
  expect(damages(logs)).toEqual([])
  await using broker = await createBroker({ dir: logs, listen: false, threads: 1, config: copyingConfigs })
  await expectExactlyOnce(broker)
})

test(`a broker that lives on while its clients die, ${ROUNDS} rounds of kill -9: every record comes out once`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(5)
  const logs = join(dir, 'over-tcp')
  await using broker = await createBroker({ dir: logs, threads: 1, topics: copiedTopics, config: copyingConfigs })
  for (let n = 0; n < ROUNDS; n++) await life(['address', broker.bootstrapServers, `round${n}`], 1 + random.int(12))
  await expectExactlyOnce(broker)
})
