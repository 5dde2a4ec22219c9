// Our clients against Apache Kafka under SIGKILL: the node dies and comes back under running pipelines, and pipelines die beside a node that lives. What went in
// comes out exactly once.
import { systemClock } from '@odradek/shared/base/clock'
import { createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApacheKafka, apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'
import { ChildProgram } from './child-program.ts'
import { copiedTopics, copyingConfigs, Feeder, letters, settle, startCopying } from './copying-pipelines.ts'
import { exactlyOnce, verdictOn } from './exactly-once.rules.ts'

const ROUNDS = 3
/** Records copied between one kill and the next. */
const BETWEEN = 400
const missing = apacheKafkaMissing()

describe.skipIf(missing !== null)(missing ?? 'Apache Kafka', () => {
  let kafka: ApacheKafka
  beforeAll(async () => {
    kafka = await startApacheKafka({ configs: copyingConfigs })
    await using admin = createAdmin({ bootstrapServers: kafka.bootstrapServers })
    for (const [name, partitions] of Object.entries(copiedTopics)) await admin.topics.create({ name, partitions })
  }, 120_000)
  afterAll(() => kafka?.stop(), 60_000)

  async function expectExactlyOnce(recordsMin: number) {
    const { bootstrapServers } = kafka
    const pipelines = startCopying(bootstrapServers, () => undefined)
    await settle(bootstrapServers, pipelines)
    for (const each of pipelines) await each.close()
    const input = await letters(bootstrapServers, 'in')
    expect(input.length).toBeGreaterThan(recordsMin)
    expect(verdictOn(input, await letters(bootstrapServers, 'out'))).toEqual(exactlyOnce)
  }

  test(`killed and restarted ${ROUNDS} times under running pipelines`, { timeout: 200_000 }, async () => {
    const { bootstrapServers } = kafka
    const feeder = new Feeder(bootstrapServers, 'lasting')
    let copied = 0
    const pipelines = startCopying(bootstrapServers, () => {
      feeder.copied()
      copied++
    })
    const failed = Promise.race(pipelines.map(({ done }) => done)).then(() =>
      Promise.reject(new Error('a pipeline ended')),
    )
    failed.catch(() => undefined)
    const feeding = feeder.work()
    feeding.catch(() => undefined)
    const progress = async (records: number) => {
      const wanted = copied + records
      while (copied < wanted) {
        const pause = new Promise<void>(resolve => systemClock.after(10, resolve))
        await Promise.race([pause, failed, feeding.then(() => pause)])
      }
    }
    for (let n = 0; n < ROUNDS; n++) {
      await progress(BETWEEN)
      await kafka.kill()
      await kafka.restart()
    }
    await progress(BETWEEN)
    feeder.stop()
    await feeding
    for (const each of pipelines) await each.close()
    await expectExactlyOnce(ROUNDS * BETWEEN)
  })

  test(`pipelines killed ${ROUNDS} times beside it`, { timeout: 120_000 }, async () => {
    for (let n = 0; n < ROUNDS; n++) {
      const child = new ChildProgram('copying', ['address', kafka.bootstrapServers, `round${n}`])
      for (let lines = 0; lines <= n * 2; lines++) {
        if ((await child.line()) === null) throw new Error(`it ended by itself: ${(await child.ended()).errors}`)
      }
      child.kill()
      expect((await child.ended()).signal).toBe('SIGKILL')
    }
    await expectExactlyOnce(ROUNDS * 50)
  })
})
