// Opens the link of the kind that is asked for, and loads only the code of that kind.
import { loading } from '../base/loading.ts'
import type { ClusterLink, LinkHost, LinkInput } from './cluster-link.ts'

/** Opens a link; does not wait for the cluster. */
export async function openClusterLink(host: LinkHost, input: LinkInput): Promise<ClusterLink> {
  if (input.kind === 'wire') {
    const { openWireLink } = await loading(() => import('./wire/wire-link.ts'))
    return openWireLink(host, input)
  }
  const { openPortLink } = await loadPortLink()
  return openPortLink(host, input)
}

let portLink: Promise<typeof import('./port/port-link.ts')> | undefined

/** Loads once what links into this process need. A simulated world asks for it before it begins, so that its first link opens as soon as any other. */
export function loadPortLink(): Promise<typeof import('./port/port-link.ts')> {
  portLink ??= loading(() => import('./port/port-link.ts'))
  return portLink
}
