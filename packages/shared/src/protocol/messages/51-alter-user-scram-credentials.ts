// AlterUserScramCredentials (API key 51), version 0. Sets and removes SCRAM credentials; the client salts and hashes,
// so the password itself never travels (KIP-554).

import { array, bytes, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const alterUserScramCredentialsRequest = request(
  51,
  'AlterUserScramCredentialsRequest',
  { versions: '0', flexible: '0+' },
  {
    deletions: array('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
    }),
    upsertions: array('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
      iterations: int32('0+'),
      salt: bytes('0+'),
      saltedPassword: bytes('0+'),
    }),
  },
)
export type AlterUserScramCredentialsRequest = Infer<typeof alterUserScramCredentialsRequest>
export type ScramCredentialDeletion = AlterUserScramCredentialsRequest['deletions'][number]
export type ScramCredentialUpsertion = AlterUserScramCredentialsRequest['upsertions'][number]

export const alterUserScramCredentialsResponse = response(
  51,
  'AlterUserScramCredentialsResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  },
)
export type AlterUserScramCredentialsResponse = Infer<typeof alterUserScramCredentialsResponse>
export type AlterUserScramCredentialsResult = AlterUserScramCredentialsResponse['results'][number]
