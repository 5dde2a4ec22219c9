// What a connection says before it is ready: ApiVersions, then SASL. Asks by the function it is given; the connection sends and matches replies.
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { SaslCredentials } from '../../contracts/wire-security.ts'
import { errorOf, errors } from '../../protocol/error-codes.ts'
import { bearerToken, type TokenPatience } from './bearer-token.ts'
import type { ClusterFeatures } from './cluster-features.ts'
import { authenticationFailed, unsupported } from './connection-errors.ts'
import { abilitiesOf, apiKeyOf, type BrokerAbilities, chooseVersion } from './negotiation.rules.ts'
import { bearerConversation, passwordConversation, type SaslConversation } from './sasl.ts'

/** Sends one request in a version and resolves with its reply; rejects when the connection is lost. */
export type Ask = <A extends ApiName>(api: A, version: number, request: ApiRequest<A>) => Promise<ApiResponse<A>>

/** ApiVersions that brokers of all ages answer at least with their own list. */
const API_VERSIONS_MAX = 4
const SOFTWARE = { clientSoftwareName: 'odradek', clientSoftwareVersion: '0.1.0' }

/** Asks in the newest version; a broker that does not know it answers in version 0 with the one it knows (KIP-511). */
export async function askAbilities(ask: Ask, features: ClusterFeatures): Promise<BrokerAbilities> {
  for (let version = API_VERSIONS_MAX; ; ) {
    const response = await ask('ApiVersions', version, { ...SOFTWARE, clusterId: null, nodeId: -1 } as never)
    if (response.errorCode === errors.NONE.code) {
      features.learn(response)
      return abilitiesOf(response, features.levels)
    }
    const { name } = errorOf(response.errorCode)
    if (name !== 'UNSUPPORTED_VERSION' || version === 0) throw new Error(`ApiVersions was answered with ${name}`)
    const known = response.apiKeys.find(({ apiKey }) => apiKey === apiKeyOf('ApiVersions'))
    version = Math.min(known?.maxVersion ?? 0, version - 1)
  }
}

/** As whom, and where. */
export interface LogIn extends TokenPatience {
  readonly sasl: SaslCredentials
  readonly abilities: BrokerAbilities
  /** `host:port`, for messages. */
  readonly broker: string
}

/**
 * Logs in. Resolves with the session's lifetime in milliseconds (0: without end; KIP-368). Rejects with a fatal KafkaError when the broker refuses or
 * cannot prove itself.
 */
export async function logIn(ask: Ask, { sasl, abilities, broker, ...patience }: LogIn): Promise<number> {
  const version = chooseVersion('SaslAuthenticate', abilities)
  if (version < 0) throw unsupported('SaslAuthenticate', broker, abilities, Number.POSITIVE_INFINITY)
  const conversation = await conversationOf(sasl, patience)
  const handshake = await ask('SaslHandshake', 1, { mechanism: sasl.mechanism })
  if (handshake.errorCode !== errors.NONE.code)
    throw authenticationFailed(errorOf(handshake.errorCode), offer(handshake))
  let lifetimeMs = 0
  for (let bytes: Uint8Array | null = conversation.first(); bytes; ) {
    const answer: ApiResponse<'SaslAuthenticate'> = await ask('SaslAuthenticate', version, { authBytes: bytes })
    if (answer.errorCode !== errors.NONE.code)
      throw authenticationFailed(errorOf(answer.errorCode), answer.errorMessage ?? 'the broker gives no reason')
    bytes = conversation.next(answer.authBytes)
    lifetimeMs = answer.sessionLifetimeMs ?? 0
  }
  return lifetimeMs

  function offer({ errorCode, mechanisms }: ApiResponse<'SaslHandshake'>): string {
    if (errorCode === errors.ILLEGAL_SASL_STATE.code) return `the listener at ${broker} does not use SASL`
    return `the broker offers ${mechanisms.join(', ') || 'nothing'}, not ${sasl.mechanism}`
  }
}

async function conversationOf(sasl: SaslCredentials, patience: TokenPatience): Promise<SaslConversation> {
  if (sasl.mechanism !== 'OAUTHBEARER') return passwordConversation(sasl)
  return bearerConversation(await bearerToken(sasl, patience), sasl.extensions)
}
