// Logs on disk whose topic is not in the cluster's image: the process died between the record that removed the topic and the removal of its logs, or somebody put
// them there. Looked at once, at the start of the broker, when the whole metadata log has been read and no leader of a topic runs.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { LogIdentity, LogStore } from '../log/partition-log.ts'
import type { ClusterClient } from './cluster-client.ts'
import { metadataTopic } from './cluster-client.ts'
import type { TopicTable } from './topic-table.ts'

export interface OrphanedLogsParts {
  readonly context: Pick<ActorContext, 'log'>
  readonly logs: Pick<LogStore, 'delete'>
  /** Knows the whole image. */
  readonly topics: Pick<TopicTable, 'find'>
  readonly cluster: Pick<ClusterClient, 'removedAmong'>
}

/** Removes those of the `stored` logs whose topic the metadata log says to have been removed. Others that no topic owns are left where they are, and named. */
export async function removeOrphanedLogs(parts: OrphanedLogsParts, stored: readonly LogIdentity[]): Promise<void> {
  const orphans = stored.filter(
    ({ topicId }) => topicId !== metadataTopic.topicId && parts.topics.find({ topicId }) === undefined,
  )
  if (orphans.length === 0) return
  const removed = await parts.cluster.removedAmong([...new Set(orphans.map(({ topicId }) => topicId))])
  for (const orphan of orphans) {
    if (removed.has(orphan.topicId)) remove(parts, orphan)
    else parts.context.log.warn({ ...orphan }, 'a log is of no topic that this cluster has or had: it is left alone')
  }
}

/** What cannot be removed now is tried again at the next start. */
function remove({ context, logs }: OrphanedLogsParts, orphan: LogIdentity): void {
  try {
    logs.delete(orphan)
    context.log.info({ ...orphan }, 'the log of a deleted topic was removed')
  } catch (error) {
    context.log.error({ ...orphan, error: String(error) }, 'the log of a deleted topic was not removed')
  }
}
