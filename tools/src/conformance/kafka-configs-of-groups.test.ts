// kafka-configs of Apache Kafka 4.3.1, unmodified, on the configs of groups.
import { describe, expect, test } from 'vitest'
import { javaMissing } from './drivers.ts'
import { kafkaToolsScene } from './kafka-tools-scene.suite.ts'

const missing = javaMissing()

describe.skipIf(missing !== null)(missing ?? 'kafka-configs of groups', () => {
  const scene = kafkaToolsScene()
  const configs = (...args: string[]) =>
    scene.tools.run('kafka-configs', ['--entity-type', 'groups', '--entity-name', 'billing', ...args])

  test('what is added is described, and gone when it is deleted', async () => {
    await configs('--alter', '--add-config', 'consumer.session.timeout.ms=50000')
    expect(await configs('--describe')).toContain('consumer.session.timeout.ms=50000')
    await configs('--alter', '--delete-config', 'consumer.session.timeout.ms')
    expect(await configs('--describe')).not.toContain('50000')
  })
})
