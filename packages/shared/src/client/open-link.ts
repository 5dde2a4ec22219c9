// Opens the link of the kind that is asked for, and loads only the code of that kind.
import { KafkaError } from '../base/errors.ts'
import type { ClusterLink, LinkHost, LinkInput } from './cluster-link.ts'

/** Opens a link; does not wait for the cluster. */
export async function openClusterLink(host: LinkHost, input: LinkInput): Promise<ClusterLink> {
  if (input.kind !== 'port') throw new KafkaError('ODK_UNSUPPORTED_LINK', `no link of kind '${input.kind}' here`)
  const { openPortLink } = await import('./port/port-link.ts')
  return openPortLink(host, input)
}
