// What a connection rejects requests with. Used by connection, authentication and the wire link.
import { KafkaError, PortError } from '../../base/errors.ts'
import type { ApiName } from '../../contracts/api-map.ts'
import { apiTable } from '../../protocol/api-table.ts'
import { errors } from '../../protocol/error-codes.ts'
import { ageOf } from './broker-age.rules.ts'
import { apiKeyOf, type BrokerAbilities } from './negotiation.rules.ts'

/** It was sent, and what became of it is not known. */
export function lost(reason: string): PortError {
  return new PortError({ code: 'LINK_CLOSED', message: `the connection was lost before the reply came: ${reason}` })
}

/** It was never sent. */
export function unreachable(reason: string): PortError {
  return new PortError({ code: 'UNREACHABLE', message: `no connection could be made: ${reason}` })
}

/** The broker will not have us, or cannot prove what it is. */
export function authenticationFailed(
  { code, name }: { readonly code: number; readonly name: string },
  reason: string,
): KafkaError {
  return new KafkaError('ODK_SASL_AUTHENTICATION_FAILED', `SASL authentication failed (${name}): ${reason}`, {
    kafkaCode: code,
    kafkaName: name,
    fatal: true,
  })
}

/** The TLS handshake failed: repeating it would not help (Kafka: SslAuthenticationException). */
export function tlsFailed(broker: string, error: Error): KafkaError {
  const { code } = error as NodeJS.ErrnoException
  const hint = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code ?? '') ? ' (does this port speak TLS?)' : ''
  return new KafkaError('ODK_TLS_FAILED', `TLS with ${broker} failed: ${error.message}${hint}`, {
    fatal: true,
    cause: error,
  })
}

/** The broker has no version of the API that is known here, says which it has, and about how old it is. */
export function unsupported(api: ApiName, broker: string, abilities: BrokerAbilities, versionMax: number): KafkaError {
  const key = apiKeyOf(api)
  const ours = apiTable.find(known => known.key === key)!
  const theirs = abilities.versions.get(key)
  const offers = theirs ? `serves versions ${theirs.min} to ${theirs.max} of it` : 'does not serve it'
  const needed = `${ours.versionMin} to ${Math.min(ours.versionStableMax, versionMax)}`
  const age = ageOf(abilities)
  const message = `${api} (API key ${key}) is needed in versions ${needed}; the broker at ${broker} ${offers}`
  return new KafkaError('ODK_UNSUPPORTED_VERSION', age === null ? message : `${message} (it looks like ${age})`, {
    kafkaCode: errors.UNSUPPORTED_VERSION.code,
    kafkaName: 'UNSUPPORTED_VERSION',
  })
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
