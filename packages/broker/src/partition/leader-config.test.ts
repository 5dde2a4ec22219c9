import { describe, expect, it } from 'vitest'
import { parseLeaderConfig } from './leader-config.rules.ts'
import { retentionDelayMs, retentionPolicy } from './retention.rules.ts'

describe('configs of a leader', () => {
  it("have Kafka's defaults", () => {
    expect(parseLeaderConfig({})).toMatchObject({
      maxMessageBytes: 1_048_588,
      timestampType: 'CreateTime',
      timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
      timestampAfterMaxMs: 3_600_000,
      compacted: false,
      deleted: true,
      compressionType: 'producer',
      transactionVerificationEnabled: true,
      log: { segmentBytes: 2 ** 30, flushMessages: Number.POSITIVE_INFINITY },
    })
  })

  it('are read from their spelling on the wire', () => {
    const config = parseLeaderConfig({
      'cleanup.policy': 'compact, delete',
      'compression.type': 'uncompressed',
      'message.timestamp.type': 'LogAppendTime',
      'retention.ms': '-1',
    })
    expect(config).toMatchObject({
      compacted: true,
      deleted: true,
      compressionType: 'none',
      timestampType: 'LogAppendTime',
    })
    expect(config.retentionMs).toBe(-1)
  })

  it('let internal.segment.bytes go below what segment.bytes allows', () => {
    const configs = { 'segment.bytes': '1048576', 'internal.segment.bytes': '2000' }
    expect(parseLeaderConfig(configs).log.segmentBytes).toBe(2_000)
  })

  it('that do not parse are a bug of whoever let them in', () => {
    expect(() => parseLeaderConfig({ 'segment.bytes': 'many' })).toThrow(/segment.bytes is an integer/)
    expect(() => parseLeaderConfig({ 'compression.type': 'zip' })).toThrow(/compression.type is one of/)
  })
})

describe('retention', () => {
  const segment = {
    baseOffset: 0,
    nextOffset: 9,
    sizeInBytes: 100,
    maxTimestamp: 1_000,
    firstAppendMs: 900,
    active: true,
  }
  const config = (configs: { [name: string]: string }) => parseLeaderConfig(configs)

  it('has no limits where cleanup.policy only compacts', () => {
    const policy = retentionPolicy(config({ 'cleanup.policy': 'compact', 'retention.bytes': '5' }), 77)
    expect(policy).toEqual({ now: 77, retentionMs: -1, retentionBytes: -1 })
  })

  it('comes when the oldest segment has outlived retention.ms, at the latest at the next check', () => {
    const policy = retentionPolicy(config({ 'retention.ms': '5000' }), 2_000)
    expect(retentionDelayMs([segment], policy, 300_000)).toBe(4_001)
    expect(retentionDelayMs([segment], policy, 100)).toBe(100)
    expect(retentionDelayMs([{ ...segment, firstAppendMs: -1 }], policy, 300_000)).toBe(300_000)
    expect(retentionDelayMs([segment], { ...policy, now: 10_000 }, 300_000)).toBe(300_000)
  })
})
