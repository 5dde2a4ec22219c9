// Which version of an API to speak with one broker: the newest that both sides have, and what finalized features allow (KIP-584, KIP-890).
import { apiTable } from '../../protocol/api-table.ts'
import type { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'

/** What one broker can do, by API key, and what its cluster has finalized. */
export interface BrokerAbilities {
  readonly versions: ReadonlyMap<number, { readonly min: number; readonly max: number }>
  readonly features: ReadonlyMap<string, number>
}

export function abilitiesOf({ apiKeys }: ApiVersionsResponse, features: BrokerAbilities['features']): BrokerAbilities {
  return {
    versions: new Map(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
    ),
    features,
  }
}

/** Newest versions while the cluster has not finalized `transaction.version` 2 (KIP-890). */
const beforeTransactionVersion2: { readonly [api: string]: number } = {
  Produce: 11,
  AddOffsetsToTxn: 3,
  EndTxn: 4,
  TxnOffsetCommit: 4,
}
/** AddPartitionsToTxn 4 and up is spoken between brokers (KIP-890). */
const clientMax: { readonly [api: string]: number } = { AddPartitionsToTxn: 3 }

const byName = new Map(apiTable.map(api => [api.name, api]))

/**
 * The version to speak, at most `cap`, or -1: the broker lacks the API, or only has versions that are not ours.
 */
export function chooseVersion(
  api: string,
  { versions, features }: BrokerAbilities,
  cap = Number.POSITIVE_INFINITY,
): number {
  const ours = byName.get(api)
  const theirs = ours && versions.get(ours.key)
  if (!theirs) return -1
  const capped = (features.get('transaction.version') ?? 0) < 2 ? beforeTransactionVersion2[api] : undefined
  const max = Math.min(
    theirs.max,
    ours.versionStableMax,
    capped ?? Number.POSITIVE_INFINITY,
    clientMax[api] ?? Number.POSITIVE_INFINITY,
    cap,
  )
  return max >= Math.max(theirs.min, ours.versionMin) ? max : -1
}

/** API key by name. */
export function apiKeyOf(api: string): number {
  return byName.get(api)!.key
}
