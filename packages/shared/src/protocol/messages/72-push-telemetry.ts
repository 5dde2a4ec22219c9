// PushTelemetry (API key 72), version 0. A client delivers the metrics it was asked for, as OTLP (KIP-714).

import { bool, bytes, type Infer, int8, int16, int32, request, response, uuid } from '../schema.ts'

export const pushTelemetryRequest = request(
  72,
  'PushTelemetryRequest',
  { versions: '0', flexible: '0+' },
  {
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: bool('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+'),
  },
)
export type PushTelemetryRequest = Infer<typeof pushTelemetryRequest>

export const pushTelemetryResponse = response(
  72,
  'PushTelemetryResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
)
export type PushTelemetryResponse = Infer<typeof pushTelemetryResponse>
