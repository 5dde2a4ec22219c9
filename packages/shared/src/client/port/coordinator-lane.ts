// On which lane of an embedded broker the coordinator of a key runs, so that a client's actor can be started beside it.
import { isPortError } from '../../base/errors.ts'
import type { CoordinatorKind } from '../../contracts/broker.contract.ts'
import type { LinkInput } from '../../contracts/link-input.ts'
import type { LinkHost } from '../cluster-link.ts'
import { BrokerLine } from './broker-line.ts'
import { CoordinatorDirectory } from './coordinator-directory.ts'

/** Null: it does not run now, or the cluster is not in this process. */
export async function coordinatorLane(
  host: LinkHost,
  input: LinkInput,
  kind: CoordinatorKind,
  key: string,
): Promise<number | null> {
  if (input.kind !== 'port') return null
  const broker = new BrokerLine(host, input.broker)
  const coordinators = new CoordinatorDirectory(host, broker)
  try {
    return (await coordinators.owner(kind, key, host.limits.askDeadlineMs))?.address.lane ?? null
  } catch (error) {
    if (isPortError(error)) return null
    throw error
  } finally {
    coordinators.close()
    broker.close()
  }
}
