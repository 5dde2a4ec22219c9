import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { type Asking, GroupWorld, type WorldOptions } from './group-world.suite.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const V3 = { apiVersion: 3 }

/** Verbs of a member, by its id. */
class ClassicWorld extends GroupWorld {
  join(memberId = '', more: object = {}, version = { apiVersion: 3 }) {
    return this.request('joinGroup', { memberId, ...more }, version)
  }

  sync(memberId: string, generationId: number, shares: { [memberId: string]: string } = {}) {
    const assignments = Object.entries(shares).map(([id, share]) => ({ memberId: id, assignment: bytes(share) }))
    return this.request('syncGroup', { memberId, generationId, assignments })
  }

  beat(memberId: string, generationId: number, groupInstanceId: string | null = null) {
    return this.answer(this.request('heartbeat', { memberId, generationId, groupInstanceId })).errorCode
  }

  leave(memberId: string, groupInstanceId: string | null = null) {
    return this.answer(this.request('leaveGroup', { members: [{ memberId, groupInstanceId, reason: null }] }))
  }

  /** A stable group of this many members; their ids, the leader first. */
  stable(size: number, more: (index: number) => object = () => ({})): string[] {
    const joins = Array.from({ length: size }, (_, index) => this.join('', more(index)))
    this.completeInitial()
    const ids = joins.map(join => this.answer(join).memberId)
    this.shareOut(ids, this.classic('g').generationId)
    return ids
  }

  completeInitial() {
    if (this.classic('g').initialDelay) this.advance(this.settings.initialRebalanceDelayMs * 2)
  }

  shareOut(ids: readonly string[], generationId: number) {
    const leader = this.classic('g').leaderId!
    const syncs = ids.filter(id => id !== leader).map(id => this.sync(id, generationId))
    syncs.push(this.sync(leader, generationId, Object.fromEntries(ids.map(id => [id, `share of ${id}`]))))
    for (const sync of syncs) expect(this.answer(sync).errorCode).toBe(0)
  }
}

const world = (options: WorldOptions = {}) => new ClassicWorld(options)
const patient = () => world({ settings: { initialRebalanceDelayMs: 3_000 } })
const codeOf = (asking: Asking<{ errorCode: number }>) => asking.reply?.errorCode

describe('joining', () => {
  test('a lone member joins at once without a delay, leads, and gets its own assignment', () => {
    const groups = world()
    const joined = groups.answer(groups.join())
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: joined.memberId })
    expect(joined.members.map(({ memberId }) => memberId)).toEqual([joined.memberId])
    const synced = groups.answer(groups.sync(joined.memberId, 1, { [joined.memberId]: 'all' }))
    expect(Buffer.from(synced.assignment).toString()).toBe('all')
    expect(groups.classic('g').state).toBe('Stable')
  })

  test('a new group waits group.initial.rebalance.delay.ms, and longer while members keep coming', () => {
    const groups = patient()
    const first = groups.join()
    groups.advance(2_000)
    const second = groups.join()
    groups.advance(2_000)
    expect(first.reply).toBeNull()
    groups.advance(2_000)
    expect(groups.answer(first).generationId).toBe(1)
    expect(groups.answer(second).leader).toBe(groups.answer(first).memberId)
  })

  test('the initial delay never goes beyond the rebalance timeout', () => {
    const groups = patient()
    const first = groups.join('', { rebalanceTimeoutMs: 7_000 })
    for (let i = 0; i < 6; i++) {
      groups.advance(1_000)
      groups.join('', { rebalanceTimeoutMs: 7_000 })
    }
    groups.advance(1_000)
    expect(codeOf(first)).toBe(0)
  })

  test('from version 4 on a new member is given its id first (KIP-394), and the group waits for it to come back', () => {
    const groups = world()
    const refused = groups.answer(groups.join('', {}, { apiVersion: 4 }))
    expect(refused.errorCode).toBe(errors.MEMBER_ID_REQUIRED.code)
    expect(groups.classic('g').members.size).toBe(0)
    expect(groups.answer(groups.join(refused.memberId, {}, { apiVersion: 4 }))).toMatchObject({
      errorCode: 0,
      generationId: 1,
    })
  })

  test('an id that was given out and not used is forgotten after the session timeout', () => {
    const groups = world()
    const { memberId } = groups.answer(groups.join('', {}, { apiVersion: 4 }))
    groups.advance(10_000)
    expect(codeOf(groups.join(memberId, {}, { apiVersion: 4 }))).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('a rebalance waits for an id that was given out', () => {
    const groups = world()
    const [leader] = groups.stable(1)
    const { memberId } = groups.answer(groups.join('', {}, { apiVersion: 4 }))
    const rejoined = groups.join(leader)
    expect(rejoined.reply).toBeNull()
    groups.join(memberId, {}, { apiVersion: 4 })
    expect(groups.answer(rejoined).members).toHaveLength(2)
  })

  test('session timeouts outside the configured range are refused', () => {
    const groups = world()
    for (const sessionTimeoutMs of [-1, 0, 5_999, 1_800_001, 2 ** 31 - 1]) {
      expect(codeOf(groups.join('', { sessionTimeoutMs }))).toBe(errors.INVALID_SESSION_TIMEOUT.code)
    }
    expect(groups.state.groups.size).toBe(0)
  })

  test('an empty group id is refused everywhere', () => {
    const groups = world()
    const invalid = errors.INVALID_GROUP_ID.code
    expect(codeOf(groups.request('joinGroup', { groupId: '' }))).toBe(invalid)
    expect(codeOf(groups.request('syncGroup', { groupId: '' }))).toBe(invalid)
    expect(codeOf(groups.request('heartbeat', { groupId: '' }))).toBe(invalid)
    expect(codeOf(groups.request('leaveGroup', { groupId: '' }))).toBe(invalid)
    expect(codeOf(groups.request('offsetDelete', { groupId: '' }))).toBe(invalid)
    expect(groups.answer(groups.request('deleteGroups', { groupsNames: [''] })).results[0]!.errorCode).toBe(invalid)
  })

  test('unknown member ids are refused, also of groups that do not exist', () => {
    const groups = world()
    expect(codeOf(groups.join('nobody'))).toBe(errors.UNKNOWN_MEMBER_ID.code)
    groups.stable(1)
    expect(codeOf(groups.join('nobody'))).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('a member without a protocol type, without protocols, or with none in common is refused', () => {
    const groups = world()
    const refused = errors.INCONSISTENT_GROUP_PROTOCOL.code
    expect(codeOf(groups.join('', { protocolType: '' }))).toBe(refused)
    expect(codeOf(groups.join('', { protocols: [] }))).toBe(refused)
    groups.stable(1)
    expect(codeOf(groups.join('', { protocolType: 'connect' }))).toBe(refused)
    expect(codeOf(groups.join('', { protocols: [{ name: 'sticky', metadata: bytes('') }] }))).toBe(refused)
  })

  test('group.max.size bounds the group, and members that are in it may rejoin', () => {
    const groups = world({ settings: { classicSizeMax: 2 } })
    const ids = groups.stable(1)
    const second = groups.join()
    groups.join(ids[0])
    const both = [ids[0]!, groups.answer(second).memberId]
    groups.shareOut(both, 2)
    expect(codeOf(groups.join())).toBe(errors.GROUP_MAX_SIZE_REACHED.code)
    expect(groups.join(ids[0]).reply).toBeNull()
  })

  test('the protocol that most members prefer wins; what not all support cannot', () => {
    const groups = patient()
    const offer = (...names: string[]) => ({ protocols: names.map(name => ({ name, metadata: bytes(name) })) })
    const joins = [offer('a', 'b', 'c'), offer('b', 'a'), offer('c', 'b', 'a')].map(more => groups.join('', more))
    groups.completeInitial()
    expect(joins.map(join => groups.answer(join).protocolName)).toEqual(['b', 'b', 'b'])
    const leader = groups.answer(joins[0]!)
    expect(leader.members.map(({ metadata }) => Buffer.from(metadata).toString())).toEqual(['b', 'b', 'b'])
  })

  test('only the leader learns who is in the group', () => {
    const groups = patient()
    const joins = [groups.join(), groups.join(), groups.join()]
    groups.completeInitial()
    expect(joins.map(join => groups.answer(join).members.length)).toEqual([3, 0, 0])
  })
})

describe('rebalancing', () => {
  test('a third member makes the others rejoin; all have the same generation', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const third = groups.join()
    expect(groups.classic('g').state).toBe('PreparingRebalance')
    expect(groups.beat(a!, 1)).toBe(errors.REBALANCE_IN_PROGRESS.code)
    expect(groups.answer(groups.join(a)).generationId).toBe(2)
    expect(groups.answer(third).generationId).toBe(2)
  })

  test('in-process members are told of the rebalance at once, and not those that wait for it already', () => {
    const groups = world()
    const [a, b] = groups.stable(1).concat('')
    groups.news.length = 0
    groups.join(b)
    expect(groups.news).toEqual([{ groupId: 'g', memberId: a }])
  })

  test('members that do not rejoin within the rebalance timeout are out', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const joining = groups.join()
    for (let i = 0; i < 60; i++) {
      groups.beat(a!, 1)
      groups.advance(1_000)
    }
    expect(groups.answer(joining)).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(groups.answer(joining).members).toHaveLength(1)
    expect(groups.beat(a!, 1)).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('a silent member is out after its session timeout, and the rest rebalances', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const b = groups.answer(second).memberId
    groups.shareOut([a!, b], 2)
    groups.advance(6_000)
    groups.beat(a!, 2)
    groups.advance(6_000)
    expect(groups.classic('g').members.has(b)).toBe(false)
    expect(groups.beat(a!, 2)).toBe(errors.REBALANCE_IN_PROGRESS.code)
  })

  test('who waits in JoinGroup or SyncGroup is not silent', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const joining = groups.join()
    for (let i = 0; i < 5; i++) {
      groups.advance(9_000)
      expect(groups.beat(a!, 1)).toBe(errors.REBALANCE_IN_PROGRESS.code)
    }
    groups.join(a)
    const b = groups.answer(joining).memberId
    const waiting = groups.sync(b, 2)
    for (let i = 0; i < 5; i++) {
      groups.advance(9_000)
      expect(groups.beat(a!, 2)).toBe(0)
    }
    groups.sync(a!, 2, { [b]: 'late' })
    expect(codeOf(waiting)).toBe(0)
  })

  test('members that do not sync within the rebalance timeout are out', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const b = groups.answer(second).memberId
    groups.sync(a!, 2, {})
    for (let i = 0; i < 60; i++) {
      groups.advance(1_000)
      groups.beat(a!, 2)
      groups.beat(b, 2)
    }
    expect([...groups.classic('g').members.keys()]).toEqual([a])
    expect(groups.classic('g').state).toBe('PreparingRebalance')
  })

  test('a follower that asks again for the same in a stable group is answered at once; the leader starts a rebalance', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const b = groups.answer(second).memberId
    groups.shareOut([a!, b], 2)
    expect(groups.answer(groups.join(b))).toMatchObject({ errorCode: 0, generationId: 2, members: [] })
    expect(groups.classic('g').state).toBe('Stable')
    groups.join(a)
    expect(groups.classic('g').state).toBe('PreparingRebalance')
  })

  test('a follower that changes its subscription starts a rebalance', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const b = groups.answer(second).memberId
    groups.shareOut([a!, b], 2)
    groups.join(b, { protocols: [{ name: 'range', metadata: bytes('another topic') }] })
    expect(groups.classic('g').state).toBe('PreparingRebalance')
  })

  test('a JoinGroup while the leader is awaited is answered again when nothing changed, else ends the generation', () => {
    const groups = world()
    const { memberId } = groups.answer(groups.join())
    expect(groups.answer(groups.join(memberId))).toMatchObject({ errorCode: 0, generationId: 1 })
    const joined = groups.answer(groups.join(memberId, { protocols: [{ name: 'range', metadata: bytes('other') }] }))
    expect(joined.generationId).toBe(2)
  })

  test('whoever waits for an assignment of a generation that ends is told to rejoin', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const waiting = groups.sync(groups.answer(second).memberId, 2)
    groups.join()
    expect(codeOf(waiting)).toBe(errors.REBALANCE_IN_PROGRESS.code)
  })

  test('when the leader leaves another member leads', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const second = groups.join()
    groups.join(a)
    const b = groups.answer(second).memberId
    groups.shareOut([a!, b], 2)
    expect(groups.leave(a!).members[0]!.errorCode).toBe(0)
    expect(groups.answer(groups.join(b))).toMatchObject({ errorCode: 0, generationId: 3, leader: b })
  })

  test('the last member leaves an empty group of the next generation behind', () => {
    const groups = world()
    const [a] = groups.stable(1)
    groups.leave(a!)
    expect(groups.classic('g')).toMatchObject({ state: 'Empty', generationId: 2, protocolName: null, leaderId: null })
    expect(groups.answer(groups.join()).generationId).toBe(3)
  })

  test('members left out by the leader get an empty assignment', () => {
    const groups = world()
    const { memberId } = groups.answer(groups.join())
    expect(groups.answer(groups.sync(memberId, 1, {})).assignment).toHaveLength(0)
  })

  test('a retry of SyncGroup in a stable group gets the same assignment', () => {
    const groups = world()
    const [a] = groups.stable(1)
    expect(Buffer.from(groups.answer(groups.sync(a!, 1)).assignment).toString()).toBe(`share of ${a}`)
  })
})

describe('fencing', () => {
  test('wrong generations are refused', () => {
    const groups = world()
    const [a] = groups.stable(1)
    for (const generation of [-1, 0, 2, 2 ** 31 - 1]) {
      expect(groups.beat(a!, generation)).toBe(errors.ILLEGAL_GENERATION.code)
      expect(codeOf(groups.sync(a!, generation))).toBe(errors.ILLEGAL_GENERATION.code)
    }
  })

  test('SyncGroup names another protocol than the group’s: refused', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const sync = (more: object) => codeOf(groups.request('syncGroup', { memberId: a!, generationId: 1, ...more }))
    expect(sync({ protocolName: 'sticky' })).toBe(errors.INCONSISTENT_GROUP_PROTOCOL.code)
    expect(sync({ protocolType: 'connect' })).toBe(errors.INCONSISTENT_GROUP_PROTOCOL.code)
    expect(sync({ protocolType: 'consumer', protocolName: 'range' })).toBe(0)
  })

  test('heartbeats and syncs of unknown members and groups are refused', () => {
    const groups = world()
    expect(groups.beat('nobody', 1)).toBe(errors.UNKNOWN_MEMBER_ID.code)
    groups.stable(1)
    expect(groups.beat('nobody', 1)).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(codeOf(groups.sync('nobody', 1))).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('leaving: each member has its own answer', () => {
    const groups = world()
    const [a] = groups.stable(1)
    const members = [a!, 'nobody'].map(memberId => ({ memberId, groupInstanceId: null, reason: null }))
    const left = groups.answer(groups.request('leaveGroup', { members }))
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([0, errors.UNKNOWN_MEMBER_ID.code])
    const gone = groups.answer(groups.request('leaveGroup', { groupId: 'none', members }))
    expect(gone.members.map(({ errorCode }) => errorCode)).toEqual([25, 25])
  })
})

describe('static members (KIP-345)', () => {
  const instance = (name: string) => ({ groupInstanceId: name })

  test('one that comes back in a stable group takes its place without a rebalance, and its old id is fenced', () => {
    const groups = world()
    const [a] = groups.stable(1, () => instance('i'))
    const back = groups.answer(groups.join('', instance('i'), { apiVersion: 5 }))
    expect(back).toMatchObject({ errorCode: 0, generationId: 1, leader: a })
    expect(back.memberId).not.toBe(a)
    expect(groups.classic('g').state).toBe('Stable')
    expect(groups.beat(a!, 1, 'i')).toBe(errors.FENCED_INSTANCE_ID.code)
    expect(groups.beat(back.memberId, 1, 'i')).toBe(0)
    const assignment = groups.answer(groups.sync(back.memberId, 1)).assignment
    expect(Buffer.from(assignment).toString()).toBe(`share of ${a}`)
  })

  test('a leader that comes back with version 9 learns the members and leaves the assignment as it is (KIP-814)', () => {
    const groups = world()
    groups.stable(1, () => instance('i'))
    const back = groups.answer(groups.join('', instance('i'), { apiVersion: 9 }))
    expect(back).toMatchObject({ skipAssignment: true, leader: back.memberId })
    expect(back.members).toHaveLength(1)
  })

  test('its new id survives the death of the coordinator', () => {
    const groups = world()
    const [a] = groups.stable(1, () => instance('i'))
    const { memberId } = groups.answer(groups.join('', instance('i'), { apiVersion: 9 }))
    groups.reload()
    expect(groups.beat(memberId, 1, 'i')).toBe(0)
    expect(groups.beat(a!, 1, 'i')).toBe(errors.FENCED_INSTANCE_ID.code)
  })

  test('one that comes back while the leader is awaited makes all rejoin', () => {
    const groups = world()
    groups.join('', instance('i'), { apiVersion: 5 })
    expect(groups.classic('g').state).toBe('CompletingRebalance')
    expect(groups.answer(groups.join('', instance('i'), { apiVersion: 5 })).generationId).toBe(2)
  })

  test('one that comes back during a rebalance fences whoever waits under its old id', () => {
    const groups = patient()
    const first = groups.join('', instance('i'), { apiVersion: 5 })
    groups.join('', instance('i'), { apiVersion: 5 })
    expect(codeOf(first)).toBe(errors.FENCED_INSTANCE_ID.code)
    expect(groups.classic('g').members.size).toBe(1)
  })

  test('its session keeps its place while it is away: no rebalance before the session timeout', () => {
    const groups = world()
    const [a] = groups.stable(1, () => instance('i'))
    groups.advance(9_000)
    expect(groups.classic('g').members.has(a!)).toBe(true)
    groups.advance(2_000)
    expect(groups.classic('g').state).toBe('Empty')
  })

  test('an administrator removes it by instance id alone', () => {
    const groups = world()
    groups.stable(1, () => instance('i'))
    expect(groups.leave('', 'other').members[0]!.errorCode).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(groups.leave('', 'i').members[0]!.errorCode).toBe(0)
    expect(groups.classic('g').state).toBe('Empty')
  })

  test('a wrong instance id is refused', () => {
    const groups = world()
    const [a] = groups.stable(1, () => instance('i'))
    expect(groups.beat(a!, 1, 'other')).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(groups.beat('other', 1, 'i')).toBe(errors.FENCED_INSTANCE_ID.code)
  })
})

describe('after the coordinator died', () => {
  test('a stable group is stable again: members heartbeat on, and their sessions count', () => {
    const groups = world()
    const [a] = groups.stable(1)
    groups.reload()
    expect(groups.beat(a!, 1)).toBe(0)
    groups.advance(10_000)
    expect(groups.classic('g').state).toBe('Empty')
  })

  test('a rebalance that was under way is forgotten: the generation before stands', () => {
    const groups = world()
    const [a] = groups.stable(1)
    groups.join()
    groups.reload()
    expect(groups.classic('g')).toMatchObject({ state: 'Stable', generationId: 1 })
    expect(groups.beat(a!, 1)).toBe(0)
  })

  test('no generation is used twice', () => {
    const groups = world()
    const [a] = groups.stable(1)
    groups.leave(a!)
    groups.reload()
    expect(groups.answer(groups.join('', {}, V3)).generationId).toBe(3)
  })
})

test('the story that REBALANCE.md tells of the classic protocol', () => {
  const groups = patient()
  const seen = () => [groups.classic('g').state, groups.log.length]
  const a = groups.join()
  expect([a.reply, ...seen()]).toEqual([null, 'PreparingRebalance', 1])
  groups.advance(3_000)
  const { memberId, generationId } = groups.answer(a)
  expect([generationId, ...seen()]).toEqual([1, 'CompletingRebalance', 1])
  expect([groups.sync(memberId, 1, { [memberId]: '0-3' }).reply?.errorCode, ...seen()]).toEqual([0, 'Stable', 2])
  const b = groups.join()
  expect([b.reply, ...seen(), groups.news]).toEqual([null, 'PreparingRebalance', 2, [{ groupId: 'g', memberId }]])
  expect(groups.beat(memberId, 1)).toBe(errors.REBALANCE_IN_PROGRESS.code)
  expect(groups.answer(groups.join(memberId)).members).toHaveLength(2)
  const other = groups.answer(b)
  expect([other.generationId, ...seen()]).toEqual([2, 'CompletingRebalance', 2])
  const waiting = groups.sync(other.memberId, 2)
  expect([waiting.reply, ...seen()]).toEqual([null, 'CompletingRebalance', 2])
  groups.sync(memberId, 2, { [memberId]: '0-1', [other.memberId]: '2-3' })
  expect([Buffer.from(groups.answer(waiting).assignment).toString(), ...seen()]).toEqual(['2-3', 'Stable', 3])
})
