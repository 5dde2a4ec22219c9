// Kafka's own command line tools for records, groups and transactions, 4.3.1, unmodified, against our broker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProducer } from '@odradek/producer/create-producer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { javaMissing } from './drivers.ts'
import { kafkaToolsScene } from './kafka-tools-scene.suite.ts'

const missing = javaMissing()

describe.skipIf(missing !== null)(missing ?? "Kafka's tools for records", () => {
  const scene = kafkaToolsScene({ verified: 2, loaded: 2, sums: 1 })
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'kafka-tools-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const groups = (...args: string[]) => scene.tools.run('kafka-consumer-groups', args)
  const events = (out: string) =>
    out
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as { name: string; [field: string]: unknown })

  test('kafka-verifiable-producer and kafka-verifiable-consumer agree on every record', async () => {
    const spread = ['--repeating-keys', '10']
    const produced = await scene.tools.runAlone('kafka-verifiable-producer', [
      '--topic',
      'verified',
      '--max-messages',
      '500',
      ...spread,
    ])
    expect(events(produced).at(-1)).toMatchObject({ name: 'tool_data', sent: 500, acked: 500 })
    const consumed = await scene.tools.runAlone('kafka-verifiable-consumer', [
      '--topic',
      'verified',
      '--group-id',
      'verifier',
      '--max-messages',
      '500',
    ])
    const counts = events(consumed).filter(({ name }) => name === 'records_consumed')
    expect(counts.reduce((sum, { count }) => sum + (count as number), 0)).toBe(500)
    const commits = events(consumed).filter(({ name }) => name === 'offsets_committed')
    expect(commits.length).toBeGreaterThan(0)
    expect(commits.every(({ success }) => success === true)).toBe(true)
  })

  test('kafka-consumer-groups lists, describes, resets, deletes offsets and groups', async () => {
    expect((await groups('--list')).split('\n')).toContain('verifier')
    const described = await groups('--describe', '--group', 'verifier')
    expect(described).toMatch(/GROUP +TOPIC +PARTITION +CURRENT-OFFSET +LOG-END-OFFSET +LAG/)
    const lags = [...described.matchAll(/verifier +verified +\d +(\d+) +(\d+) +(\d+)/g)]
    expect(lags.map(([, current, end, lag]) => [current === end, lag])).toEqual([
      [true, '0'],
      [true, '0'],
    ])
    expect(await groups('--describe', '--state', '--group', 'verifier')).toMatch(/verifier .* Empty +0/)
    const reset = ['--reset-offsets', '--group', 'verifier', '--topic', 'verified']
    expect(await groups(...reset, '--to-earliest', '--dry-run')).toMatch(/verifier +verified +0 +0/)
    expect(await groups('--describe', '--group', 'verifier')).toContain(lags[0]![0])
    await groups(...reset, '--to-offset', '7', '--execute')
    expect(await groups('--describe', '--group', 'verifier')).toMatch(/verifier +verified +0 +7 /)
    await groups(...reset, '--shift-by', '3', '--execute')
    expect(await groups('--describe', '--group', 'verifier')).toMatch(/verifier +verified +1 +10 /)
    const deleted = await groups('--delete-offsets', '--group', 'verifier', '--topic', 'verified:1')
    expect(deleted).toMatch(/verified +1 +Successful/)
    expect(await groups('--describe', '--group', 'verifier')).not.toMatch(/verified +1 +10 /)
    await groups('--delete', '--group', 'verifier')
    expect((await groups('--list')).split('\n')).not.toContain('verifier')
  })

  test('kafka-delete-records moves the beginning of a partition', async () => {
    const file = join(dir, 'offsets.json')
    writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic: 'verified', partition: 0, offset: 5 }] }))
    const deleted = await scene.tools.run('kafka-delete-records', ['--offset-json-file', file])
    expect(deleted).toContain('partition: verified-0\tlow_watermark: 5')
    const earliest = await scene.tools.run('kafka-get-offsets', ['--topic', 'verified', '--time', '-2'])
    expect(earliest.trim().split('\n').toSorted()).toEqual(['verified:0:5', 'verified:1:0'])
  })

  test('kafka-producer-perf-test and kafka-consumer-perf-test run to their end, with and without transactions', async () => {
    const load = ['--topic', 'loaded', '--num-records', '20000', '--record-size', '100', '--throughput', '-1']
    expect(await scene.tools.run('kafka-producer-perf-test', load)).toMatch(/^20000 records sent, /m)
    const transactions = ['--transactional-id', 'perf', '--transaction-duration-ms', '50']
    expect(await scene.tools.run('kafka-producer-perf-test', [...load, ...transactions])).toMatch(
      /^20000 records sent, /m,
    )
    const read = await scene.tools.run('kafka-consumer-perf-test', [
      '--topic',
      'loaded',
      '--num-records',
      '40000',
      '--command-property',
      'isolation.level=read_committed',
      '--hide-header',
    ])
    const consumed = Number(read.trim().split('\n').at(-1)!.split(',')[4])
    expect(consumed).toBeGreaterThanOrEqual(40_000)
  })

  test('kafka-transactions shows a transaction that is open, its producer, and ends it', async () => {
    await using producer = createProducer({
      bootstrapServers: scene.broker.bootstrapServers,
      transactionalId: 'left-open',
    })
    const transaction = await producer.begin()
    await transaction.send('sums', { partition: 0, value: 'x' })
    const transactions = (...args: string[]) => scene.tools.run('kafka-transactions', args)
    expect(await transactions('list')).toMatch(/left-open\s+\d+\s+\d+\s+Ongoing/)
    const described = await transactions('describe', '--transactional-id', 'left-open')
    expect(described).toMatch(/left-open.*Ongoing.*sums-0/)
    const [, producerId, , startOffset] =
      /^(\d+)\s+(\d+)\s+\S+\s+\S+\s+\S+\s+(\d+)/m.exec(
        await transactions('describe-producers', '--topic', 'sums', '--partition', '0'),
      ) ?? []
    expect(Number(producerId)).toBeGreaterThanOrEqual(0)
    expect(startOffset).toBe('0')
    expect(await transactions('find-hanging', '--broker-id', '1')).not.toContain('left-open')
    await transactions('forceTerminateTransaction', '--transactionalId', 'left-open')
    expect(await transactions('list')).not.toMatch(/left-open\s+\d+\s+\d+\s+Ongoing/)
    await expect(transaction.commit()).rejects.toMatchObject({ fatal: true })
  })
})
