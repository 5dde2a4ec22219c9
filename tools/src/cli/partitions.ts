// Which partitions topics have: for every command that asks where they begin and end.
import type { Admin, PartitionId } from '@odradek/shared/client/admin'
import { usageError } from './command-error.ts'

/** Of all these topics, one topic after the other; `only`: what `--partition` says. Throws a usage error where no topic has that one. */
export async function partitionsOf(admin: Admin, topics: readonly string[], only?: number): Promise<PartitionId[]> {
  const described = await admin.topics.describe(topics)
  const wanted = described.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partition }) => only === undefined || partition === only)
      .map(({ partition }) => ({ topic: name, partition })),
  )
  if (wanted.length > 0 || only === undefined) return wanted
  const there = described.map(({ name, partitions }) => `${name} has 0 to ${partitions.length - 1}`)
  throw usageError(`there is no partition ${only}: ${there.join(', ')}`)
}
