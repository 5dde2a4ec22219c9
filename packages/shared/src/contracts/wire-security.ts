// How a wire link secures its connections: Kafka's `security.protocol` and `sasl.*`, as plain data. Secrets here are never logged.

/** A name and its password. */
export interface PasswordCredentials {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  readonly password: string
}

/** A bearer token (KIP-255): itself, or the module that makes one for every login; a function would reach no other thread. */
export interface BearerCredentials {
  readonly mechanism: 'OAUTHBEARER'
  readonly token: string | { readonly module: string }
  /** SASL extensions (KIP-342), by name. */
  readonly extensions: { readonly [name: string]: string }
}

export type SaslCredentials = PasswordCredentials | BearerCredentials

export interface WireSecurity {
  /** TLS when present: what `tls.connect` takes (`ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, ...), as plain data. */
  readonly tls?: { readonly [name: string]: unknown }
  readonly sasl?: SaslCredentials
}

/** How patient a wire link is; names and defaults are Kafka's (`reconnect.backoff.ms` and so on). Milliseconds. */
export interface WirePatience {
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  readonly connectionsMaxIdleMs: number
  readonly socketConnectionSetupTimeoutMs: number
  readonly socketConnectionSetupTimeoutMaxMs: number
  /** Not Kafka's: how long no bootstrap server may take a connection, before the first did, until calls fail with ODK_BOOTSTRAP_FAILED. 0: for ever. */
  readonly bootstrapTimeoutMs: number
}

export const defaultPatience: WirePatience = {
  requestTimeoutMs: 30_000,
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1_000,
  reconnectBackoffMs: 50,
  reconnectBackoffMaxMs: 1_000,
  metadataMaxAgeMs: 300_000,
  connectionsMaxIdleMs: 540_000,
  socketConnectionSetupTimeoutMs: 10_000,
  socketConnectionSetupTimeoutMaxMs: 30_000,
  bootstrapTimeoutMs: 0,
}
