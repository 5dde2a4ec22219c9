// Our clients against Apache Kafka under SIGKILL: the node dies and comes back under running pipelines, and pipelines die beside a node that lives. What went in
// comes out exactly once. A run that fails keeps what the node wrote and what was said on the wire, and says where.
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@odradek/shared/base/clock'
import { createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { type ApacheKafka, apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'
import { ChildProgram } from './child-program.ts'
import { copiedTopics, copyingConfigs, copyingVerdict, Feeder, startCopying } from './copying-pipelines.ts'
import { exactlyOnce } from './exactly-once.rules.ts'
import { WireTap } from './wire-tap.ts'

const ROUNDS = 3
/** Records copied between one kill and the next. */
const BETWEEN = 400
const missing = apacheKafkaMissing()

describe.skipIf(missing !== null)(missing ?? 'Apache Kafka', () => {
  let kafka: ApacheKafka
  let tap: WireTap
  let bootstrapServers: string
  beforeAll(async () => {
    tap = await WireTap.open()
    bootstrapServers = `127.0.0.1:${tap.port}`
    const configs = { ...copyingConfigs, 'advertised.listeners': `PLAINTEXT://${bootstrapServers}` }
    kafka = await startApacheKafka({ configs, isControllerApart: true })
    tap.leadTo(kafka.port)
    await using admin = createAdmin({ bootstrapServers })
    for (const [name, partitions] of Object.entries(copiedTopics)) await admin.topics.create({ name, partitions })
  }, 600_000)
  afterAll(async () => {
    await kafka?.stop()
    await tap?.close()
  }, 60_000)

  function keepEvidence(): void {
    const kept = mkdtempSync(join(tmpdir(), 'killed-kafka-'))
    cpSync(kafka.dir, kept, { recursive: true })
    writeFileSync(join(kept, 'wire.txt'), tap.lines.join('\n'))
    console.error(`what Apache Kafka wrote, and what was said on the wire (wire.txt), is kept in ${kept}`)
  }

  async function expectExactlyOnce(recordsMin: number) {
    const { records, verdict } = await copyingVerdict(bootstrapServers)
    expect(records).toBeGreaterThan(recordsMin)
    expect(verdict).toEqual(exactlyOnce)
  }

  test(`killed and restarted ${ROUNDS} times under running pipelines`, { timeout: 900_000 }, async () => {
    onTestFailed(keepEvidence)
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
      tap.note('SIGKILL')
      await kafka.kill()
      await kafka.restart()
      tap.note('it is back')
    }
    await progress(BETWEEN)
    feeder.stop()
    await feeding
    for (const each of pipelines) await each.close()
    await expectExactlyOnce(ROUNDS * BETWEEN)
  })

  test(`pipelines killed ${ROUNDS} times beside it`, { timeout: 900_000 }, async () => {
    onTestFailed(keepEvidence)
    for (let n = 0; n < ROUNDS; n++) {
      const child = new ChildProgram('copying', ['address', bootstrapServers, `round${n}`])
      for (let lines = 0; lines <= n * 2; lines++) {
        if ((await child.line()) === null) throw new Error(`it ended by itself: ${(await child.ended()).errors}`)
      }
      child.kill()
      expect((await child.ended()).signal).toBe('SIGKILL')
    }
    await expectExactlyOnce(ROUNDS * 50)
  })
})
