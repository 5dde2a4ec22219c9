// What the clients of this house do not ask for, or only by mistake, as every target answers it: groups that the log cannot take, and patterns that the
// coordinator resolves (KIP-848).
import type { PartitionAssignor } from '@odradek/consumer/partition-assignor'
import { groupRequests } from '@odradek/coordinator/group/group-requests.suite'
import { readAdminOptions } from '@odradek/shared/client/admin/admin-options'
import { encodeAssignment, encodeSubscription } from '@odradek/shared/client/assignors/subscription-bytes'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import { openClusterLink } from '@odradek/shared/client/open-link'
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { errors } from '@odradek/shared/protocol/error-codes'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { GroupScene } from './group-scene.suite.ts'
import { type Target, targets } from './targets.ts'

/** More than a batch of `__consumer_offsets` may have (`message.max.bytes` by default). */
const TOO_MANY_BYTES = 1_200_000
const TOO_LARGE = errors.UNKNOWN_SERVER_ERROR.code
/** For what never comes: a busy machine may take its time. */
const PATIENCE_MS = 60_000

const elsewhere: ReadonlySet<number> = new Set([
  errors.NOT_COORDINATOR.code,
  errors.COORDINATOR_NOT_AVAILABLE.code,
  errors.COORDINATOR_LOAD_IN_PROGRESS.code,
])

type GroupApi = 'JoinGroup' | 'SyncGroup' | 'Heartbeat' | 'ConsumerGroupHeartbeat'

let groups = 0

/** Asks again and again until the answer is the one that is waited for. */
function until<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  const once = async () => {
    const answer = await ask()
    expect(isIt(answer), JSON.stringify(answer)).toBe(true)
    return answer
  }
  return vi.waitFor(once, { timeout: PATIENCE_MS })
}

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'groups', () => {
    let target: Target
    let link: ClusterLink
    /** A connection answers in order: whoever waits in JoinGroup or SyncGroup has one of its own. */
    let patient: ClusterLink
    const ends: (() => Promise<unknown>)[] = []
    beforeAll(async () => {
      target = await open()
      ends.push(() => target.close())
      link = await openLink()
      patient = await openLink()
    }, 120_000)
    afterAll(async () => {
      for (const end of ends.reverse()) await end()
    })

    async function openLink(): Promise<ClusterLink> {
      const door = openClusterDoor('e2e', readAdminOptions({ bootstrapServers: target.bootstrapServers }))
      ends.push(async () => door.release?.())
      const opened = await openClusterLink(door.host, door.link)
      ends.push(() => opened.close())
      return opened
    }

    /** Asks the coordinator of the request's group, until there is one: a cluster that has just begun moves it about. */
    async function ask<A extends GroupApi>(
      api: A,
      request: ApiRequest<A> & { readonly groupId: string },
      by = link,
    ): Promise<ApiResponse<A>> {
      const options = { deadlineMs: PATIENCE_MS }
      return until(
        async () => {
          const coordinator = await by.coordinator('group', request.groupId, options)
          const answer = await by.request(coordinator, api, request, options)
          if (elsewhere.has(answer.errorCode)) by.forgetCoordinator('group', request.groupId)
          return answer
        },
        ({ errorCode }) => !elsewhere.has(errorCode),
      )
    }

    async function join(groupId: string, memberId = '', by = link): Promise<ApiResponse<'JoinGroup'>> {
      const subscription = { topics: ['t'], ownedPartitions: [], generationId: -1, rackId: null, userData: null }
      const request = {
        groupId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: PATIENCE_MS,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: encodeSubscription(subscription) }],
        reason: null,
      }
      const answer = await ask('JoinGroup', request, by)
      return answer.errorCode === errors.MEMBER_ID_REQUIRED.code ? join(groupId, answer.memberId, by) : answer
    }

    function sync(
      { memberId, generationId }: { readonly memberId: string; readonly generationId: number },
      groupId: string,
      assignments: ApiRequest<'SyncGroup'>['assignments'],
      by = link,
    ): Promise<ApiResponse<'SyncGroup'>> {
      const protocol = { protocolType: 'consumer', protocolName: 'range' }
      return ask('SyncGroup', { groupId, memberId, generationId, groupInstanceId: null, ...protocol, assignments }, by)
    }

    /** One heartbeat of the consumer protocol; what is not said is null. */
    function beat(groupId: string, memberId: string, said: Partial<ApiRequest<'ConsumerGroupHeartbeat'>>) {
      return ask('ConsumerGroupHeartbeat', { ...groupRequests.consumerGroupHeartbeat, groupId, memberId, ...said })
    }

    /** Joins by a pattern and heartbeats until `isWhole` says that all that it matches was assigned. */
    async function follow(groupId: string, expression: string, isWhole: (topicIds: readonly string[]) => boolean) {
      const memberId = `member-${groupId}`.padEnd(22, 'x')
      const joining = { rebalanceTimeoutMs: PATIENCE_MS, subscribedTopicRegex: expression, topicPartitions: [] }
      let said: Parameters<typeof beat>[2] = joining
      let owned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[] = []
      const answer = await until(
        async () => {
          const heard = await beat(groupId, memberId, said)
          owned = heard.assignment?.topicPartitions ?? owned
          said = { memberEpoch: heard.memberEpoch, topicPartitions: [...owned] as never }
          return heard
        },
        ({ errorCode }) => errorCode !== 0 || isWhole(owned.map(({ topicId }) => topicId)),
      )
      return { errorCode: answer.errorCode, owned }
    }

    test('a leader that brings more than the log takes, and who waits for a share of it, are told so at once', async () => {
      const groupId = `limits-${++groups}`
      const leader = await join(groupId)
      const joining = join(groupId, '', patient)
      // The newcomer waits for the leader, which comes when it hears of it.
      const isRebalancing = async () => {
        const { memberId, generationId } = leader
        const { errorCode } = await ask('Heartbeat', { groupId, memberId, generationId, groupInstanceId: null })
        return errorCode === errors.REBALANCE_IN_PROGRESS.code
      }
      await until(isRebalancing, is => is)
      const [led, follower] = await Promise.all([join(groupId, leader.memberId), joining])
      expect(led.leader).toBe(leader.memberId)
      const waiting = sync(follower, groupId, [], patient)
      const assignment = encodeAssignment([{ topic: 't', partition: 0 }], new Uint8Array(TOO_MANY_BYTES))
      const leading = await sync(led, groupId, [{ memberId: follower.memberId, assignment }])
      expect(leading.errorCode).toBe(TOO_LARGE)
      // Over two connections it may come second: then the group is rebalancing already.
      expect([TOO_LARGE, errors.REBALANCE_IN_PROGRESS.code]).toContain((await waiting).errorCode)
    })

    test('a consumer whose assignor brings more than the log takes hears of it, and is not left waiting', async () => {
      const topicName = await target.topic(1)
      const group = new GroupScene(target, `limits-${++groups}`)
      onTestFinished(() => group.close())
      const wordy: PartitionAssignor = {
        name: 'wordy',
        assign: (_cluster, members) =>
          new Map(
            [...members.keys()].map(id => [
              id,
              { partitions: [{ topic: topicName, partition: 0 }], userData: new Uint8Array(TOO_MANY_BYTES) },
            ]),
          ),
      }
      const member = group.member('wordy', { partitionAssignmentStrategy: wordy }).read(topicName)
      await group.until('it hears of it', () => member.error !== null)
      expect(member.error).toMatchObject({ kafkaName: 'UNKNOWN_SERVER_ERROR', fatal: true })
      expect(String(member.error)).toMatch(/synchronising group/)
    })

    test('a subscription that the log cannot take is refused, and the group is as it was', async () => {
      const groupId = `limits-${++groups}`
      const subscribedTopicNames = Array.from({ length: 6_000 }, (_, at) => `${at}`.padStart(200, 't'))
      const joining = { rebalanceTimeoutMs: PATIENCE_MS, subscribedTopicNames, topicPartitions: [] }
      const { errorCode } = await beat(groupId, 'too-much-is-subscribed', joining)
      expect(errorCode).toBe(TOO_LARGE)
      const again = await beat(groupId, 'another-that-wants-less', { ...joining, subscribedTopicNames: ['t'] })
      expect(again.errorCode).toBe(0)
      expect(again.memberEpoch).toBeGreaterThan(0)
    })

    test('a pattern of the coordinator (KIP-848) takes what it matches whole, and what comes later', async () => {
      const groupId = `limits-${++groups}`
      const name = (last: string) => `e2e-regex-${groupId}-${last}`
      for (const last of ['a', 'b', 'not']) await target.topic(2, {}, name(last))
      await link.refresh(['a', 'b', 'not', 'c'].map(name), { deadlineMs: PATIENCE_MS, allowAutoTopicCreation: false })
      const idOf = (last: string) => link.topic(name(last))!.topicId
      const expression = `${name('[abc]')}`
      const found = await follow(groupId, expression, ids => ids.length === 2)
      expect(found.errorCode).toBe(0)
      expect(found.owned.map(({ topicId }) => topicId).sort()).toEqual([idOf('a'), idOf('b')].sort())
      expect(found.owned.every(({ partitions }) => partitions.length === 2)).toBe(true)
      await target.topic(2, {}, name('c'))
      const more = await follow(groupId, expression, ids => ids.length === 3)
      expect([more.errorCode, more.owned.length]).toEqual([0, 3])
    })

    test('a pattern that is none is refused as one', async () => {
      const { errorCode } = await follow(`limits-${++groups}`, 'e2e-[', () => true)
      expect(errorCode).toBe(errors.INVALID_REGULAR_EXPRESSION.code)
    })
  })
})
