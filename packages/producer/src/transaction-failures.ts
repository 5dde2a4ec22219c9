// How the failures of transactions are told to the caller's thread.
import type { ErrorData } from '@odradek/shared/base/errors'
import type { ApiName } from '@odradek/shared/contracts/api-map'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { errorData } from './producer-errors.ts'
import { isFenced } from './transaction-errors.rules.ts'

export function isFatal({ detail }: ErrorData): boolean {
  return (detail as { fatal?: boolean } | undefined)?.fatal === true
}

export function refusedError(api: ApiName, errorCode: number, fatal: boolean): ErrorData {
  const { name, message } = errorOf(errorCode)
  if (isFenced(errorCode)) {
    const words = `${api}: ${name}: a newer producer with the same transactionalId took over`
    return errorData('ODK_PRODUCER_FENCED', words, { kafkaCode: errorCode, fatal: true })
  }
  if (api === 'EndTxn' && name === 'INVALID_TXN_STATE') {
    const words = `${api}: ${name}: it was aborted by the coordinator: was it open for longer than transactionTimeoutMs?`
    return errorData('ODK_BROKER_ERROR', words, { kafkaCode: errorCode, fatal })
  }
  return errorData('ODK_BROKER_ERROR', `${api}: ${name}: ${message}`, { kafkaCode: errorCode, fatal })
}

export function timedOut(api: ApiName, errorCode: number): ErrorData {
  const isEnd = api === 'EndTxn'
  const fate = isEnd ? '; whether the transaction was ended is not known' : ''
  return errorData(
    'ODK_TRANSACTION_TIMEOUT',
    `${api} got no answer within maxBlockMs: ${errorOf(errorCode).name}${fate}`,
    {
      kafkaCode: errorCode,
      retriable: !isEnd,
      fatal: isEnd,
    },
  )
}

export function fatalError({ code, message, detail }: ErrorData): ErrorData {
  return { code, message, detail: { ...(detail as object | undefined), fatal: true } }
}

export function abortableError({ message, detail }: ErrorData): ErrorData {
  return { code: 'ODK_TRANSACTION_ABORTABLE', message: `the transaction must be aborted: ${message}`, detail }
}

export function stateError(state: string, what: string): ErrorData {
  return errorData('ODK_TRANSACTION_STATE', `${what} is not possible in the state ${state}`)
}
