// Opens the link of the kind that is asked for, and loads only the code of that kind.
import type { ClusterLink, LinkHost, LinkInput } from './cluster-link.ts'

/** Opens a link; does not wait for the cluster. */
export async function openClusterLink(host: LinkHost, input: LinkInput): Promise<ClusterLink> {
  if (input.kind === 'wire') {
    const { openWireLink } = await import('./wire/wire-link.ts')
    return openWireLink(host, input)
  }
  const { openPortLink } = await import('./port/port-link.ts')
  return openPortLink(host, input)
}
