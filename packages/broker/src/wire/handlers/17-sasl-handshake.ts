// SaslHandshake 0-1. No listener asks for SASL, so a client that begins it is told so, as Kafka's PLAINTEXT listeners do.
import { errors } from '@odradek/shared/protocol/error-codes'
import type { Handler } from './handler.ts'

export const saslHandshakeHandler: Handler<'SaslHandshake'> = async () => ({
  errorCode: errors.ILLEGAL_SASL_STATE.code,
  mechanisms: [],
})
