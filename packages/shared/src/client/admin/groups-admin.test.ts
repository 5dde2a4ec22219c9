// What a call about several groups owes when it has to be tried again.
import { expect, test } from 'vitest'
import { errors } from '../../protocol/error-codes.ts'
import type { AdminSession, Attempt } from './admin-session.ts'
import { GroupsAdmin } from './groups-admin.ts'

/** A session that tries again whatever is thrown, over a cluster that answers DeleteGroups with these codes, group by group. */
function sessionOver(codes: { readonly [groupId: string]: number[] }, asked: string[]): AdminSession {
  const link = {
    coordinator: async () => ({ id: 'coordinator' }),
    forgetCoordinator: () => undefined,
    async request(_endpoint: unknown, _api: string, { groupsNames: [groupId] }: { groupsNames: string[] }) {
      asked.push(groupId!)
      return { results: [{ groupId, errorCode: codes[groupId!]!.shift() }] }
    },
  }
  const run = async (_call: unknown, attempt: (attempt: Attempt) => Promise<void>) => {
    const once = () => attempt({ link, options: { deadlineMs: 1_000 } } as unknown as Attempt)
    await once().catch(once)
  }
  return { run } as unknown as AdminSession
}

test('a group that was deleted is not deleted again when another one has to be tried again', async () => {
  const asked: string[] = []
  const codes = { moved: [errors.NOT_COORDINATOR.code, 0], quick: [0, errors.GROUP_ID_NOT_FOUND.code] }
  await new GroupsAdmin(sessionOver(codes, asked)).delete(['moved', 'quick'])
  expect(asked).toEqual(['moved', 'quick', 'moved'])
})

test('a group that cannot be deleted is named, beside those that were', async () => {
  const codes = { empty: [0], busy: [errors.NON_EMPTY_GROUP.code, errors.NON_EMPTY_GROUP.code] }
  const refused = new GroupsAdmin(sessionOver(codes, [])).delete(['empty', 'busy'])
  await expect(refused).rejects.toMatchObject({ kafkaName: 'NON_EMPTY_GROUP', done: ['empty'] })
})
