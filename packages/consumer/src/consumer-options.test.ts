import { describe, expect, it } from 'vitest'
import { consumerInput, readConsumerOptions } from './consumer-options.ts'
import { readDuration } from './duration.rules.ts'

const base = { bootstrapServers: 'localhost:9092' }

describe('consumer options', () => {
  it('have the defaults of the Java client', () => {
    expect(readConsumerOptions(base)).toMatchObject({
      autoOffsetReset: { kind: 'latest' },
      partitionAssignmentStrategy: ['range', 'cooperative-sticky'],
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3_000,
      maxPollIntervalMs: 300_000,
      maxPollRecords: 500,
      enableAutoCommit: true,
      autoCommitIntervalMs: 5_000,
      isolationLevel: 'readUncommitted',
      fetchMinBytes: 1,
      fetchMaxBytes: 52_428_800,
      fetchMaxWaitMs: 500,
      maxPartitionFetchBytes: 1_048_576,
      checkCrcs: true,
    })
  })

  it("take Java's names and spellings", () => {
    const given = {
      ...base,
      'auto.offset.reset': 'by_duration:PT1H30M',
      'isolation.level': 'read_committed',
      'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor, sticky',
    }
    expect(readConsumerOptions(given)).toMatchObject({
      autoOffsetReset: { kind: 'byDuration', durationMs: 5_400_000 },
      isolationLevel: 'readCommitted',
      partitionAssignmentStrategy: ['cooperative-sticky', 'sticky'],
    })
  })

  it.each([
    [{ fromBeginning: true }, 'ODK_OPTION_UNKNOWN', /autoOffsetReset: 'earliest'/],
    [{ autoOffsetReset: 'middle' }, 'ODK_OPTION_INVALID', /by_duration/],
    [{ groupId: 'g', heartbeatIntervalMs: 50_000 }, 'ODK_OPTION_CONFLICT', /sessionTimeoutMs/],
    [{ enableAutoCommit: true }, 'ODK_OPTION_CONFLICT', /groupId/],
    [{ groupProtocol: 'consumer', partitionAssignmentStrategy: 'range' }, 'ODK_OPTION_CONFLICT', /groupRemoteAssignor/],
    [{ partitionAssignmentStrategy: 'constructor' }, 'ODK_OPTION_INVALID', /range/],
  ])('%j are refused with %s', (given, code, message) => {
    const read = () => readConsumerOptions({ ...base, ...given } as never)
    expect(read).toThrow(expect.objectContaining({ code }))
    expect(read).toThrow(message)
  })

  it('become plain data for the thread: no group without a group id, no automatic commits unless wanted', () => {
    const link = { kind: 'wire', bootstrapServers: [], clientId: 'c' } as never
    expect(consumerInput(readConsumerOptions(base), link).group).toBeNull()
    const manual = consumerInput(readConsumerOptions({ ...base, groupId: 'g', enableAutoCommit: false }), link)
    expect(manual.group!.autoCommitIntervalMs).toBeNull()
    expect(structuredClone(manual)).toEqual(manual)
  })
})

describe('durations', () => {
  it.each([
    ['PT0S', 0],
    ['P1D', 86_400_000],
    ['P1DT2H3M4.5S', 93_784_500],
    ['pt5m', 300_000],
  ])('%s is %i ms', (text, ms) => {
    expect(readDuration(text)).toBe(ms)
  })

  it.each(['', 'P', 'PT', 'P1', '-PT1S', 'PT1H2', '1h', 'P1Y'])('%j is none', text => {
    expect(readDuration(text)).toBeUndefined()
  })
})
