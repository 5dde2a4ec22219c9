// AlterClientQuotas (API key 49), versions 0-1. Sets and removes client quotas (KIP-546).
//
//    1  flexible

import { array, bool, float64, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const alterClientQuotasRequest = request(
  49,
  'AlterClientQuotasRequest',
  { versions: '0-1', flexible: '1+' },
  {
    entries: array('0+', {
      entity: array('0+', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
      ops: array('0+', {
        key: string('0+'),
        value: float64('0+'),
        remove: bool('0+'),
      }),
    }),
    validateOnly: bool('0+'),
  },
)
export type AlterClientQuotasRequest = Infer<typeof alterClientQuotasRequest>
export type AlterClientQuotasRequestEntryData = AlterClientQuotasRequest['entries'][number]
export type AlterClientQuotasRequestEntityData = AlterClientQuotasRequest['entries'][number]['entity'][number]
export type OpData = AlterClientQuotasRequest['entries'][number]['ops'][number]

export const alterClientQuotasResponse = response(
  49,
  'AlterClientQuotasResponse',
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    entries: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      entity: array('0+', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type AlterClientQuotasResponse = Infer<typeof alterClientQuotasResponse>
export type AlterClientQuotasResponseEntryData = AlterClientQuotasResponse['entries'][number]
export type AlterClientQuotasResponseEntityData = AlterClientQuotasResponse['entries'][number]['entity'][number]
