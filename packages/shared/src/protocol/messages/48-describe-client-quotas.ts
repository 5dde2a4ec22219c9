// DescribeClientQuotas (API key 48), versions 0-1. Client quotas that match a filter (KIP-546). A component matches by
// exact name (0), by being the default (1) or always (2).
//
//    1  flexible

import { array, bool, float64, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const describeClientQuotasRequest = request(
  48,
  'DescribeClientQuotasRequest',
  { versions: '0-1', flexible: '1+' },
  {
    components: array('0+', {
      entityType: string('0+'),
      matchType: int8('0+'),
      match: string('0+', { nullable: '0+' }),
    }),
    strict: bool('0+'),
  },
)
export type DescribeClientQuotasRequest = Infer<typeof describeClientQuotasRequest>
export type ComponentData = DescribeClientQuotasRequest['components'][number]

export const describeClientQuotasResponse = response(
  48,
  'DescribeClientQuotasResponse',
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    entries: array(
      '0+',
      {
        entity: array('0+', {
          entityType: string('0+'),
          entityName: string('0+', { nullable: '0+' }),
        }),
        values: array('0+', {
          key: string('0+'),
          value: float64('0+'),
        }),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeClientQuotasResponse = Infer<typeof describeClientQuotasResponse>
export type EntryData = NonNullable<DescribeClientQuotasResponse['entries']>[number]
export type EntityData = NonNullable<DescribeClientQuotasResponse['entries']>[number]['entity'][number]
export type ValueData = NonNullable<DescribeClientQuotasResponse['entries']>[number]['values'][number]
