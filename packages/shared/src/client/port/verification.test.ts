// What clients are told when a transaction coordinator does not vouch for their append.
import { describe, expect, it } from 'vitest'
import { type ErrorName, errorOf, errors } from '../../protocol/error-codes.ts'
import { offsetCommitRefusal, produceRefusal } from './verification.rules.ts'

const produce = (name: ErrorName, apiVersion: number) => errorOf(produceRefusal(errors[name].code, apiVersion)).name
const commit = (name: ErrorName, apiVersion: number) => errorOf(offsetCommitRefusal(errors[name].code, apiVersion)).name

describe('a produce that its coordinator does not vouch for', () => {
  it('is fenced by epoch: producers know no PRODUCER_FENCED there', () => {
    expect([produce('PRODUCER_FENCED', 9), produce('PRODUCER_FENCED', 12)]).toEqual([
      'INVALID_PRODUCER_EPOCH',
      'INVALID_PRODUCER_EPOCH',
    ])
  })

  it('is abortable for clients that know the word, an invalid state for others', () => {
    expect([produce('TRANSACTION_ABORTABLE', 10), produce('TRANSACTION_ABORTABLE', 11)]).toEqual([
      'INVALID_TXN_STATE',
      'TRANSACTION_ABORTABLE',
    ])
  })

  it('is repeated by its client when the cause may pass', () => {
    const passing = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'] as const
    for (const name of passing) expect(produce(name, 12)).toBe('NOT_ENOUGH_REPLICAS')
    expect([produce('CONCURRENT_TRANSACTIONS', 11), produce('CONCURRENT_TRANSACTIONS', 12)]).toEqual([
      'NOT_ENOUGH_REPLICAS',
      'CONCURRENT_TRANSACTIONS',
    ])
  })

  it('is refused for good when the id belongs to somebody else', () => {
    expect(produce('INVALID_PRODUCER_ID_MAPPING', 12)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })
})

describe('an offset commit that its coordinator does not vouch for', () => {
  it('never sends the client to look for another group coordinator', () => {
    for (const name of ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'REQUEST_TIMED_OUT'] as const)
      expect(commit(name, 5)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  })

  it('waits for the end of the transaction before by version', () => {
    expect([commit('CONCURRENT_TRANSACTIONS', 4), commit('CONCURRENT_TRANSACTIONS', 5)]).toEqual([
      'COORDINATOR_LOAD_IN_PROGRESS',
      'CONCURRENT_TRANSACTIONS',
    ])
  })

  it('is fenced by epoch, and abortable from version 4 on', () => {
    expect([
      commit('PRODUCER_FENCED', 5),
      commit('TRANSACTION_ABORTABLE', 3),
      commit('TRANSACTION_ABORTABLE', 4),
    ]).toEqual(['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE'])
  })
})
