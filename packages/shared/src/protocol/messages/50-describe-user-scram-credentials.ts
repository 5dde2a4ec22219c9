// DescribeUserScramCredentials (API key 50), version 0. The SCRAM mechanisms and iteration counts of users, never
// their keys (KIP-554). Null users ask for all.

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const describeUserScramCredentialsRequest = request(
  50,
  'DescribeUserScramCredentialsRequest',
  { versions: '0', flexible: '0+' },
  {
    users: array(
      '0+',
      {
        name: string('0+'),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeUserScramCredentialsRequest = Infer<typeof describeUserScramCredentialsRequest>
export type UserName = NonNullable<DescribeUserScramCredentialsRequest['users']>[number]

export const describeUserScramCredentialsResponse = response(
  50,
  'DescribeUserScramCredentialsResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      credentialInfos: array('0+', {
        mechanism: int8('0+'),
        iterations: int32('0+'),
      }),
    }),
  },
)
export type DescribeUserScramCredentialsResponse = Infer<typeof describeUserScramCredentialsResponse>
export type DescribeUserScramCredentialsResult = DescribeUserScramCredentialsResponse['results'][number]
export type CredentialInfo = DescribeUserScramCredentialsResponse['results'][number]['credentialInfos'][number]
