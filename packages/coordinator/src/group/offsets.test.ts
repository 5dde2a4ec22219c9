import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { ConsumerMemberDouble } from './consumer-member.suite.ts'
import { GroupWorld, type WorldOptions } from './group-world.suite.ts'

const MINUTE_MS = 60_000
const bytes = (text: string) => new Uint8Array(Buffer.from(text))

interface CommitOptions {
  readonly groupId?: string
  readonly partition?: number
  readonly topic?: string
  readonly memberId?: string
  readonly generation?: number
  readonly metadata?: string | null
  readonly retentionTimeMs?: number
  readonly apiVersion?: number
}

class OffsetWorld extends GroupWorld {
  constructor(options: WorldOptions = {}) {
    super({ topics: { orders: 3, bills: 1 }, ...options })
  }

  #topics({ topic = 'orders', partition = 0, metadata = null }: CommitOptions, committedOffset: number) {
    const entry = { partitionIndex: partition, committedOffset, committedLeaderEpoch: 4, committedMetadata: metadata }
    return [{ name: topic, topicId: ZERO_TOPIC_ID, partitions: [entry] }]
  }

  commit(offset: number, options: CommitOptions = {}): number {
    const { groupId = 'g', memberId = '', generation = -1, retentionTimeMs = -1, apiVersion = 9 } = options
    const topics = this.#topics(options, offset)
    const request = { groupId, memberId, generationIdOrMemberEpoch: generation, retentionTimeMs, topics }
    return this.answer(this.request('offsetCommit', request, { apiVersion })).topics[0]!.partitions[0]!.errorCode
  }

  commitInTransaction(offset: number, producerId: number, options: CommitOptions = {}): number {
    const { groupId = 'g', memberId = '', generation = -1 } = options
    const topics = this.#topics(options, offset)
    const request = { groupId, memberId, generationIdOrMemberEpoch: generation, producerId, topics }
    return this.answer(this.request('txnOffsetCommit', request)).topics[0]!.partitions[0]!.errorCode
  }

  fetch(partition = 0, { groupId = 'g', topic = 'orders', requireStable = false } = {}) {
    const topics = [{ name: topic, topicId: ZERO_TOPIC_ID, partitionIndexes: [partition] }]
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
    return this.answer(this.request('offsetFetch', { groups, requireStable })).groups[0]!.topics[0]!.partitions[0]!
  }

  fetchAll(groupId = 'g') {
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }]
    return this.answer(this.request('offsetFetch', { groups })).groups[0]!.topics
  }

  remove(topic: string, partition: number) {
    return this.answer(
      this.request('offsetDelete', { topics: [{ name: topic, partitions: [{ partitionIndex: partition }] }] }),
    )
  }

  /** A stable group of one consumer of `orders`. */
  member(): string {
    const subscription = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 6, ...bytes('orders'), 255, 255, 255, 255)
    const protocols = [{ name: 'range', metadata: subscription }]
    const { memberId } = this.answer(this.request('joinGroup', { protocols }, { apiVersion: 3 }))
    this.answer(this.request('syncGroup', { memberId, generationId: 1 }))
    return memberId
  }
}

describe('committing', () => {
  test('what a consumer without membership commits it finds again, with epoch and metadata, also after a restart', () => {
    const groups = new OffsetWorld()
    expect(groups.commit(42, { metadata: 'note' })).toBe(0)
    groups.reload()
    expect(groups.fetch()).toEqual({
      partitionIndex: 0,
      committedOffset: 42,
      committedLeaderEpoch: 4,
      metadata: 'note',
      errorCode: 0,
    })
  })

  test('a partition without an offset answers -1, and so does a group that nobody has heard of', () => {
    const groups = new OffsetWorld()
    expect(groups.fetch()).toMatchObject({ committedOffset: -1, errorCode: 0 })
    groups.commit(1)
    expect(groups.fetch(2)).toMatchObject({ committedOffset: -1, committedLeaderEpoch: -1, errorCode: 0 })
  })

  test('null topics ask for everything', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.commit(2, { partition: 2 })
    groups.commit(3, { topic: 'bills' })
    const all = groups.fetchAll().map(({ name, partitions }) => [name, partitions.map(p => p.committedOffset)])
    expect(all).toEqual([
      ['orders', [1, 2]],
      ['bills', [3]],
    ])
  })

  test('unknown topics and partitions are refused, each for itself', () => {
    const groups = new OffsetWorld()
    const unknown = errors.UNKNOWN_TOPIC_OR_PARTITION.code
    expect(groups.commit(1, { topic: 'nothing' })).toBe(unknown)
    for (const partition of [-1, 3, 2 ** 31 - 1]) expect(groups.commit(1, { partition })).toBe(unknown)
    expect(groups.log).toHaveLength(0)
  })

  test('metadata longer than offset.metadata.max.bytes is refused', () => {
    const groups = new OffsetWorld()
    expect(groups.commit(1, { metadata: 'x'.repeat(4_096) })).toBe(0)
    expect(groups.commit(2, { metadata: 'x'.repeat(4_097) })).toBe(errors.OFFSET_METADATA_TOO_LARGE.code)
    expect(groups.fetch().committedOffset).toBe(1)
  })

  test('a generation of a group that does not exist is refused, in the words of the version', () => {
    const groups = new OffsetWorld()
    expect(groups.commit(1, { generation: 3 })).toBe(errors.GROUP_ID_NOT_FOUND.code)
    expect(groups.commit(1, { generation: 3, apiVersion: 8 })).toBe(errors.ILLEGAL_GENERATION.code)
  })

  test('a group with members takes commits of its members in their generation only', () => {
    const groups = new OffsetWorld()
    const memberId = groups.member()
    expect(groups.commit(5, { memberId, generation: 1 })).toBe(0)
    expect(groups.commit(6, { memberId, generation: 0 })).toBe(errors.ILLEGAL_GENERATION.code)
    expect(groups.commit(6, { memberId, generation: 2 })).toBe(errors.ILLEGAL_GENERATION.code)
    expect(groups.commit(6, { memberId: 'other', generation: 1 })).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(groups.commit(6)).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(groups.fetch().committedOffset).toBe(5)
  })

  test('while the leader is awaited members are told to wait; during the join they may still commit what they had', () => {
    const groups = new OffsetWorld()
    const memberId = groups.member()
    const joining = groups.request(
      'joinGroup',
      { protocols: groups.classic('g').members.get(memberId)!.protocols as never },
      { apiVersion: 3 },
    )
    expect(groups.commit(5, { memberId, generation: 1 })).toBe(0)
    groups.request('joinGroup', { memberId, protocols: groups.classic('g').members.get(memberId)!.protocols as never })
    expect(joining.reply).not.toBeNull()
    expect(groups.commit(5, { memberId, generation: 2 })).toBe(errors.REBALANCE_IN_PROGRESS.code)
  })

  test('commits keep the session of a classic member', () => {
    const groups = new OffsetWorld()
    const memberId = groups.member()
    for (let i = 0; i < 5; i++) {
      groups.advance(9_000)
      expect(groups.commit(i, { memberId, generation: 1 })).toBe(0)
    }
  })

  test('a topic that is no more is left out of all offsets from version 10 on: it has no id', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.topics.take({ isWhole: false, topics: [], gone: [{ topic: 'orders', topicId: groups.topicId('orders') }] })
    const all = (apiVersion: number) => {
      const request = { groups: [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: null }] }
      return groups.answer(groups.request('offsetFetch', request, { apiVersion })).groups[0]!.topics.length
    }
    expect([all(9), all(10)]).toEqual([1, 0])
  })

  test('topics go by id from version 10 on', () => {
    const groups = new OffsetWorld()
    const partitions = [{ partitionIndex: 0, committedOffset: 9, committedLeaderEpoch: -1, committedMetadata: null }]
    const commit = (topicId: string) =>
      groups.answer(groups.request('offsetCommit', { topics: [{ name: '', topicId, partitions }] }, { apiVersion: 10 }))
        .topics[0]!.partitions[0]!.errorCode
    expect(commit(groups.topicId('orders'))).toBe(0)
    expect(commit(groups.topicId('nothing'))).toBe(errors.UNKNOWN_TOPIC_ID.code)
    const topics = ['orders', 'nothing'].map(topic => ({
      name: '',
      topicId: groups.topicId(topic),
      partitionIndexes: [0],
    }))
    const asked = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }]
    const fetched = groups.answer(groups.request('offsetFetch', { groups: asked })).groups[0]!.topics
    expect(fetched.map(({ partitions: [first] }) => [first!.committedOffset, first!.errorCode])).toEqual([
      [9, 0],
      [-1, errors.UNKNOWN_TOPIC_ID.code],
    ])
  })
})

describe('offsets of transactions (KIP-447)', () => {
  test('they count from the commit marker on, and until then unstable offsets can be asked not to be told', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    expect(groups.commitInTransaction(8, 77)).toBe(0)
    expect(groups.fetch().committedOffset).toBe(1)
    expect(groups.fetch(0, { requireStable: true }).errorCode).toBe(errors.UNSTABLE_OFFSET_COMMIT.code)
    groups.endTransaction(77, 'COMMIT')
    expect(groups.fetch(0, { requireStable: true })).toMatchObject({ committedOffset: 8, errorCode: 0 })
  })

  test('an aborted transaction leaves no trace', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.commitInTransaction(8, 77)
    groups.endTransaction(77, 'ABORT')
    expect(groups.fetch(0, { requireStable: true })).toMatchObject({ committedOffset: 1, errorCode: 0 })
  })

  test('a plain commit that came after the staged one wins over it', () => {
    const groups = new OffsetWorld()
    groups.commitInTransaction(8, 77)
    groups.commit(5)
    groups.endTransaction(77, 'COMMIT')
    expect(groups.fetch().committedOffset).toBe(5)
  })

  test('producers do not mix: each marker ends its own', () => {
    const groups = new OffsetWorld()
    groups.commitInTransaction(8, 77)
    groups.commitInTransaction(9, 78, { partition: 1 })
    groups.endTransaction(78, 'COMMIT')
    expect([groups.fetch(0).committedOffset, groups.fetch(1).committedOffset]).toEqual([-1, 9])
  })

  test('staged offsets survive a restart, and so does their end', () => {
    const groups = new OffsetWorld()
    groups.commitInTransaction(8, 77)
    groups.reload()
    expect(groups.fetch(0, { requireStable: true }).errorCode).toBe(errors.UNSTABLE_OFFSET_COMMIT.code)
    groups.endTransaction(77, 'COMMIT')
    groups.reload()
    expect(groups.fetch(0, { requireStable: true }).committedOffset).toBe(8)
  })

  test('a member that was fenced from the group cannot commit in its name; without membership nothing is checked', () => {
    const groups = new OffsetWorld()
    const memberId = groups.member()
    expect(groups.commitInTransaction(3, 77, { memberId, generation: 0 })).toBe(errors.ILLEGAL_GENERATION.code)
    expect(groups.commitInTransaction(3, 77, { memberId: 'x', generation: 1 })).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(groups.commitInTransaction(3, 77, { memberId, generation: 1 })).toBe(0)
    expect(groups.commitInTransaction(3, 77)).toBe(0)
  })
})

describe('offsets of transactions of a consumer group', () => {
  test('the epoch that is stale is an illegal generation to producers, which know no epochs; an older one will do for what it has held since (KIP-1251)', () => {
    const groups = new OffsetWorld()
    const [a, b] = [new ConsumerMemberDouble(groups, 'a'), new ConsumerMemberDouble(groups, 'b')]
    a.beat()
    for (let round = 0; round < 6; round++) for (const member of [b, a]) member.beat()
    const commit = (generation: number, partition: number) =>
      groups.commitInTransaction(3, 77, { memberId: 'a', generation, partition })
    const [kept] = a.of('orders')
    const [moved] = b.of('orders')
    expect([commit(2, kept!), commit(1, kept!)]).toEqual([0, 0])
    expect([commit(3, kept!), commit(1, moved!)]).toEqual(Array(2).fill(errors.ILLEGAL_GENERATION.code))
  })
})

describe('removing', () => {
  test('what a transaction would still change is removed too, and its commit does not bring it back', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.commitInTransaction(8, 77)
    groups.commitInTransaction(9, 77, { partition: 1 })
    groups.commitInTransaction(7, 77, { partition: 2 })
    for (const partition of [0, 1]) expect(groups.remove('orders', partition)).toMatchObject({ errorCode: 0 })
    expect(groups.fetch(0, { requireStable: true })).toMatchObject({ committedOffset: -1, errorCode: 0 })
    groups.endTransaction(77, 'COMMIT')
    for (const reload of [false, true]) {
      if (reload) groups.reload()
      expect([0, 1, 2].map(partition => groups.fetch(partition).committedOffset)).toEqual([-1, -1, 7])
    }
  })

  test.each(['its group', 'its topic'])(
    '%s is deleted under a transaction: what that staged does not come back',
    what => {
      const groups = new OffsetWorld()
      groups.commitInTransaction(8, 77)
      groups.commitInTransaction(5, 78)
      if (what === 'its topic') groups.deleteTopic('orders')
      else expect(groups.answer(groups.request('deleteGroups', {})).results[0]!.errorCode).toBe(0)
      for (const producerId of [77, 78]) groups.endTransaction(producerId, 'COMMIT')
      expect(groups.state.offsets.committed.size + groups.state.offsets.staged.size).toBe(0)
      groups.reload()
      expect(groups.state.offsets.committed.size + groups.state.offsets.staged.size).toBe(0)
    },
  )

  test('offsets of topics that the group reads are kept, others go', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.commit(1, { topic: 'bills' })
    groups.member()
    expect(groups.remove('orders', 0).topics[0]!.partitions[0]!.errorCode).toBe(errors.GROUP_SUBSCRIBED_TO_TOPIC.code)
    expect(groups.remove('bills', 0)).toMatchObject({ errorCode: 0 })
    expect(groups.fetch(0, { topic: 'bills' }).committedOffset).toBe(-1)
    groups.reload()
    expect(groups.fetch(0, { topic: 'bills' }).committedOffset).toBe(-1)
  })

  test('unknown groups and partitions are refused', () => {
    const groups = new OffsetWorld()
    expect(groups.remove('orders', 0).errorCode).toBe(errors.GROUP_ID_NOT_FOUND.code)
    groups.commit(1)
    expect(groups.remove('orders', 9).topics[0]!.partitions[0]!.errorCode).toBe(3)
  })

  test('a group is deleted with its offsets when it has no members', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    const memberId = groups.member()
    const remove = () => groups.answer(groups.request('deleteGroups', {})).results[0]!.errorCode
    expect(remove()).toBe(errors.NON_EMPTY_GROUP.code)
    groups.request('leaveGroup', { members: [{ memberId, groupInstanceId: null, reason: null }] })
    expect(remove()).toBe(0)
    expect(remove()).toBe(errors.GROUP_ID_NOT_FOUND.code)
    groups.reload()
    expect(groups.state.groups.size + groups.state.offsets.committed.size).toBe(0)
  })

  test('offsets of a deleted topic go with it', () => {
    const groups = new OffsetWorld()
    groups.commit(1)
    groups.commit(2, { topic: 'bills' })
    groups.deleteTopic('orders')
    groups.createTopic('orders', 3)
    expect(groups.fetch().committedOffset).toBe(-1)
    expect(groups.fetch(0, { topic: 'bills' }).committedOffset).toBe(2)
  })
})

describe('removing thousands', () => {
  const OFFSETS = 5_000
  function wide() {
    const groups = new OffsetWorld({ topics: { wide: OFFSETS } })
    for (let partition = 0; partition < OFFSETS; partition++) groups.commit(1, { topic: 'wide', partition })
    return groups
  }

  test('a deleted topic takes all offsets with it', () => {
    const groups = wide()
    groups.deleteTopic('wide')
    expect(groups.state.offsets.committed.size).toBe(0)
    expect(groups.replayed().offsets.committed.size).toBe(0)
  })

  test('a group is deleted with all its offsets; wherever the log is cut, what is left can be deleted again', () => {
    const groups = wide()
    const before = groups.log.length
    expect(groups.answer(groups.request('deleteGroups', {})).results[0]!.errorCode).toBe(0)
    expect(groups.replayed()).toEqual({ groups: new Map(), offsets: groups.state.offsets })
    groups.log.length = before + OFFSETS / 2
    groups.reload()
    expect(groups.fetchAll()[0]!.partitions.length).toBe(OFFSETS / 2)
    expect(groups.answer(groups.request('deleteGroups', {})).results[0]!.errorCode).toBe(0)
    expect(groups.state.offsets.committed.size).toBe(0)
  })
})

describe('expiry (KIP-211)', () => {
  const short = { settings: { offsetsRetentionMs: 10 * MINUTE_MS, offsetsCheckIntervalMs: MINUTE_MS } }

  test('offsets of a consumer without membership expire after their retention, and the group with them', () => {
    const groups = new OffsetWorld(short)
    groups.commit(1)
    groups.advance(9 * MINUTE_MS)
    groups.commit(2, { partition: 1 })
    groups.advance(2 * MINUTE_MS)
    expect([groups.fetch(0).committedOffset, groups.fetch(1).committedOffset]).toEqual([-1, 2])
    groups.advance(10 * MINUTE_MS)
    expect(groups.state.groups.size).toBe(0)
  })

  test('while the group has members nothing that they read expires; the retention counts from when the last left', () => {
    const groups = new OffsetWorld(short)
    const memberId = groups.member()
    groups.commit(1, { memberId, generation: 1 })
    for (let i = 0; i < 30; i++) {
      groups.advance(0.1 * MINUTE_MS)
      groups.answer(groups.request('heartbeat', { memberId, generationId: 1 }))
    }
    for (let i = 0; i < 200; i++) {
      groups.advance(0.1 * MINUTE_MS)
      groups.answer(groups.request('heartbeat', { memberId, generationId: 1 }))
    }
    expect(groups.fetch().committedOffset).toBe(1)
    groups.request('leaveGroup', { members: [{ memberId, groupInstanceId: null, reason: null }] })
    groups.advance(9 * MINUTE_MS)
    expect(groups.fetch().committedOffset).toBe(1)
    groups.advance(2 * MINUTE_MS)
    expect(groups.fetch().committedOffset).toBe(-1)
  })

  test('a commit with a retention of its own (versions 2 to 4) expires by that', () => {
    const groups = new OffsetWorld(short)
    groups.commit(1, { retentionTimeMs: 2 * MINUTE_MS, apiVersion: 4 })
    groups.reload()
    groups.advance(3 * MINUTE_MS)
    expect(groups.fetch().committedOffset).toBe(-1)
  })

  test('an offset that a transaction may still change does not expire', () => {
    const groups = new OffsetWorld(short)
    groups.commit(1)
    groups.commitInTransaction(2, 77)
    groups.advance(20 * MINUTE_MS)
    expect(groups.fetch().committedOffset).toBe(1)
  })

  test('five thousand expired offsets of one group go in rounds that follow one another, and the group with the last', () => {
    const groups = new OffsetWorld({ ...short, topics: { wide: 5_000 } })
    for (let partition = 0; partition < 5_000; partition++) groups.commit(1, { topic: 'wide', partition })
    const written = groups.log.length
    groups.advance(11 * MINUTE_MS)
    expect([groups.state.groups.size, groups.state.offsets.committed.size]).toEqual([0, 0])
    expect(groups.log.length - written).toBeGreaterThanOrEqual(5_000)
  })

  test('five thousand expired groups go in rounds that fit a batch', () => {
    const groups = new OffsetWorld(short)
    for (let i = 0; i < 5_000; i++) groups.commit(1, { groupId: `g${i}` })
    groups.advance(12 * MINUTE_MS)
    expect(groups.state.groups.size).toBe(0)
  })
})

describe('listing and describing', () => {
  test('states and types filter without regard to case', () => {
    const groups = new OffsetWorld()
    groups.member()
    groups.commit(1, { groupId: 'simple' })
    const list = (filters: object) => groups.answer(groups.request('listGroups', filters)).groups.map(g => g.groupId)
    expect(list({}).sort()).toEqual(['g', 'simple'])
    expect(list({ statesFilter: ['stable'] })).toEqual(['g'])
    expect(list({ statesFilter: ['EMPTY'] })).toEqual(['simple'])
    expect(list({ typesFilter: ['Classic'] }).sort()).toEqual(['g', 'simple'])
    expect(list({ typesFilter: ['consumer'] })).toEqual([])
  })

  test('a stable group shows subscriptions and assignments; before that only who is in it', () => {
    const groups = new OffsetWorld()
    const memberId = groups.member()
    const describe = () => groups.answer(groups.request('describeGroups', {})).groups[0]!
    expect(describe()).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(describe().members[0]).toMatchObject({ memberId, clientId: 'client', clientHost: '/127.0.0.1' })
    expect(describe().members[0]!.memberMetadata.length).toBeGreaterThan(0)
    groups.request('joinGroup', { protocols: [{ name: 'range', metadata: bytes('x') }] }, { apiVersion: 3 })
    expect(describe().members.every(({ memberMetadata }) => memberMetadata.length === 0)).toBe(true)
  })

  test('a group that does not exist is dead, and from version 6 on an error', () => {
    const groups = new OffsetWorld()
    const describe = (apiVersion: number) =>
      groups.answer(groups.request('describeGroups', {}, { apiVersion })).groups[0]!
    expect(describe(5)).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect(describe(6)).toMatchObject({ errorCode: errors.GROUP_ID_NOT_FOUND.code, groupState: 'Dead' })
    expect(describe(6).errorMessage).toBe('Group g not found.')
  })
})
