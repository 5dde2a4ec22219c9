import { describe, expect, test } from 'vitest'
import { type PipelineOptions, readPipelineOptions } from './pipeline-options.ts'

const required = { bootstrapServers: 'a:9092', transactionalId: 'tx', groupId: 'group' }
const read = (given: object) => readPipelineOptions({ ...required, ...given } as PipelineOptions)

describe('options of a pipeline', () => {
  test.each(['bootstrapServers', 'transactionalId', 'groupId'])('%s is required', name => {
    const given = Object.fromEntries(Object.entries(required).filter(([key]) => key !== name))
    const missing = expect.objectContaining({ code: 'ODK_OPTION_MISSING', message: `pipeline: ${name} is missing` })
    expect(() => readPipelineOptions(given as unknown as PipelineOptions)).toThrow(missing)
  })

  test('a transaction ends at 1000 records or 100 ms; either may be given', () => {
    expect(read({}).commitEvery).toEqual({ records: 1_000, ms: 100 })
    expect(read({ commitEvery: 7 }).commitEvery).toEqual({ records: 7, ms: 100 })
    expect(read({ commitEvery: { ms: 5 } }).commitEvery).toEqual({ records: 1_000, ms: 5 })
    expect(() => read({ commitEvery: 0 })).toThrow('a number of records, or { records, ms }, at least 1 each')
  })

  test.each([
    [
      'consumer',
      { isolationLevel: 'readUncommitted' },
      'pipeline: consumer.isolationLevel is set by the pipeline itself',
    ],
    ['producer', { acks: 1 }, 'pipeline: producer.acks is set by the pipeline itself'],
  ])('what makes it exactly once is not up for choice: %s %o', (part, options, message) => {
    const conflict = expect.objectContaining({ code: 'ODK_OPTION_CONFLICT', message })
    expect(() => read({ [part]: options })).toThrow(conflict)
  })

  test('the cluster, and who we are there, is told once, beside both clients', () => {
    const sasl = { mechanism: 'PLAIN', username: 'u', password: 'secret' }
    expect(read({ tls: true, sasl })).toMatchObject({ tls: true, sasl })
    const conflict = expect.objectContaining({
      code: 'ODK_OPTION_CONFLICT',
      message: 'pipeline: producer.sasl is set by the pipeline itself; give sasl beside producer',
    })
    expect(() => read({ producer: { sasl } })).toThrow(conflict)
    expect(() => read({ sasl: { mechanism: 'PLAIN', password: 'secret' } })).toThrow(/sasl must be .*, got an object$/)
  })
})
