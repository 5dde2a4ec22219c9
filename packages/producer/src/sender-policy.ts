// What a sender is started with: plain data that crosses to its thread.
import type { LinkInput } from '@odradek/shared/client/cluster-link'
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'

export interface SenderInput {
  readonly link: LinkInput
  readonly policy: SenderPolicy
}

/** The options that the sender obeys; names and meanings are those of {@link ProducerOptions}. */
export interface SenderPolicy {
  readonly idempotent: boolean
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  readonly retries: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly requestTimeoutMs: number
  readonly maxInFlightRequestsPerConnection: number
  readonly maxRequestSize: number
  readonly compressionType: CompressionType
  /** Undefined: the codec's default. */
  readonly compressionLevel?: number
  readonly metadataMaxAgeMs: number
}
