// How a wire link secures its connections: Kafka's `security.protocol` and `sasl.*`, as plain data. Secrets here are never logged.

export interface WireSecurity {
  /** TLS when present. PEM texts; `ca` absent: the platform's roots. */
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    /** Name to verify, when it is not the host's. */
    readonly servername?: string
    /** Default true. */
    readonly rejectUnauthorized?: boolean
  }
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: string
  }
}
