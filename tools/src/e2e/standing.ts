// What a cluster itself says of a group and of what it copies, in one text: for a test that has come to a stop, and has to tell where.
import { createAdmin } from '@odradek/shared/client/admin'
import type { BootstrapServers } from '@odradek/shared/client/common-options'

export interface Standing {
  readonly groupId: string
  /** By name: their partitions. */
  readonly topics: { readonly [name: string]: number }
}

/** The group and its members, its offsets (those of open transactions, too: they are named as unstable), how far each partition goes and is stable, and transactions that are not over. */
export async function standing(bootstrapServers: BootstrapServers, { groupId, topics }: Standing): Promise<string> {
  await using admin = createAdmin({ bootstrapServers })
  const partitions = Object.entries(topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
  const [call, told] = [{ timeoutMs: 5_000 }, (thrown: unknown) => String(thrown)]
  const looked = {
    group: admin.groups.describe(groupId, call),
    offsets: admin.groups.offsets(groupId, call),
    stableOffsets: admin.groups.offsets(groupId, { ...call, requireStable: true }),
    ends: admin.records.offsets(partitions, 'latest', call),
    stableEnds: admin.records.offsets(partitions, 'latest', { ...call, isolationLevel: 'readCommitted' }),
    transactions: admin.transactions.list(call),
    producers: admin.transactions.producers(partitions, call),
  }
  const found = await Promise.all(
    Object.entries(looked).map(async ([what, asked]) => [what, await (asked as Promise<unknown>).catch(told)]),
  )
  return JSON.stringify(Object.fromEntries(found), (_, value) => (typeof value === 'bigint' ? Number(value) : value))
}
