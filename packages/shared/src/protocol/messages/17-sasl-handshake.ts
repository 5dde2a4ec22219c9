// SaslHandshake (API key 17), versions 0-1. Chooses the SASL mechanism; the refusal lists those that the broker has.
// After version 0 raw SASL tokens follow, each behind a 4-byte length; after version 1 they travel in
// SaslAuthenticate. Never flexible (KAFKA-9577).
//
//    1  SaslAuthenticate carries the tokens (KIP-152)

import { array, type Infer, int16, request, response, string } from '../schema.ts'

export const saslHandshakeRequest = request(
  17,
  'SaslHandshakeRequest',
  { versions: '0-1', flexible: 'none' },
  {
    mechanism: string('0+'),
  },
)
export type SaslHandshakeRequest = Infer<typeof saslHandshakeRequest>

export const saslHandshakeResponse = response(
  17,
  'SaslHandshakeResponse',
  { versions: '0-1', flexible: 'none' },
  {
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  },
)
export type SaslHandshakeResponse = Infer<typeof saslHandshakeResponse>
