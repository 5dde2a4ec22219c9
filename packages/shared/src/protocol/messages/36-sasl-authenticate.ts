// SaslAuthenticate (API key 36), versions 0-2. Carries SASL tokens after SaslHandshake version 1. An empty token and
// no error means that nothing is left to say.
//
//    1  lifetime of the session, after which the client must authenticate again (KIP-368)
//    2  flexible

import { bytes, type Infer, int16, int64, request, response, string } from '../schema.ts'

export const saslAuthenticateRequest = request(
  36,
  'SaslAuthenticateRequest',
  { versions: '0-2', flexible: '2+' },
  {
    authBytes: bytes('0+'),
  },
)
export type SaslAuthenticateRequest = Infer<typeof saslAuthenticateRequest>

export const saslAuthenticateResponse = response(
  36,
  'SaslAuthenticateResponse',
  { versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
)
export type SaslAuthenticateResponse = Infer<typeof saslAuthenticateResponse>
