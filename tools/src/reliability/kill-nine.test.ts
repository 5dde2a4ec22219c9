// SIGKILL of a whole process under load, again and again over one directory: what was acknowledged is there, once, in order, and no start
// needs a repair.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@odradek/broker/create-broker'
import { seededRandom } from '@odradek/shared/base/random'
import { afterAll, expect, test } from 'vitest'
import { check } from '../simulator/checker.rules.ts'
import { History } from '../simulator/history.ts'
import { ChildProgram } from './child-program.ts'
import { damages, disorder, readBack } from './reading-back.ts'

/** More where there is time for it. */
const ROUNDS = process.env.CI ? 30 : 8

const dir = mkdtempSync(join(tmpdir(), 'odradek-kill-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** One life of the writer, ended some while after so many hundred acknowledgements; returns them all. */
async function round(name: string, hundreds: number): Promise<string[]> {
  const file = join(dir, `${name}.acknowledged`)
  const child = new ChildProgram('load', [join(dir, 'data'), name, file])
  for (let heard = 0; heard < hundreds; heard++) {
    if ((await child.line()) === null) throw new Error(`${name} ended by itself: ${(await child.ended()).errors}`)
  }
  child.kill()
  expect((await child.ended()).signal).toBe('SIGKILL')
  return readFileSync(file, 'utf8').split('\n')
}

/** Takes what a round acknowledged into the history; what it had sent beyond that may be there too. */
function tell(history: History, producer: string, lines: readonly string[]): void {
  const places = new Map(
    lines
      .map(line => line.split(' ').map(Number))
      .map(([n, partition, offset]) => [n!, { partition: partition!, offset: BigInt(offset!) }]),
  )
  const outstanding = 200
  const sent = Math.max(...places.keys()) + 1 + outstanding
  for (let n = 0; n < sent; n++) {
    const send = history.sending({
      producer,
      idempotent: true,
      topic: 'events',
      key: `k${n % 13}`,
      value: `${producer}#${n}`,
    })
    const at = places.get(n)
    if (at !== undefined) history.acknowledged(send, at)
  }
}

test(`nothing acknowledged is missing, doubled or out of order after ${ROUNDS} rounds of kill -9`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(9)
  const history = new History(() => performance.now())
  history.topics.set('events', { kind: 'none' })
  for (let n = 0; n < ROUNDS; n++) {
    const name = `round${n}`
    // A line cut in two by the kill is no acknowledgement that anybody read.
    const lines = (await round(name, 1 + random.int(20))).filter(line => /^\d+ \d+ \d+$/.test(line))
    tell(history, name, lines)
    history.crashed(false)
  }
  expect(damages(join(dir, 'data'))).toEqual([])
  const broker = await createBroker({ dir: join(dir, 'data'), listen: false, threads: 1 })
  await readBack(broker, 'events', history)
  await broker.close()
  expect(check(history).slice(0, 10)).toEqual([])
  expect(disorder(history)).toEqual([])
  expect(history.sends.filter(({ outcome }) => outcome === 'acknowledged').length).toBeGreaterThan(ROUNDS * 100)
})
