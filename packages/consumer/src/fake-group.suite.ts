// A classic group coordinator for tests: enough of Kafka's rules to rebalance, fence, expire and commit. One group; no persistence.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { JoinGroupRequest, JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import type { SyncGroupResponse } from '@odradek/shared/protocol/messages/14-sync-group'
import { commitAnswer, type FakeCluster } from './fake-cluster.suite.ts'

interface Member {
  readonly memberId: string
  request: JoinGroupRequest
  join: ((response: JoinGroupResponse) => void) | null
  sync: ((response: SyncGroupResponse) => void) | null
  assignment: Uint8Array
  session: Timer | null
}

export class FakeGroup {
  readonly members = new Map<string, Member>()
  /** `topic-partition` -> offset. */
  readonly committed = new Map<string, number>()
  /** Every accepted commit, in order. */
  readonly commits: string[] = []
  generationId = 0
  state: 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' = 'Empty'
  protocolName = ''
  leader = ''
  /** Answered to the next heartbeats instead of what is true. */
  readonly heartbeatErrors: number[] = []
  readonly #cluster: FakeCluster
  readonly #clock: Clock
  #nextMember = 1
  #barrier: Timer | null = null

  constructor(cluster: FakeCluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
    cluster.answers.JoinGroup = request => this.#join(request)
    cluster.answers.SyncGroup = async ({ memberId, generationId, assignments }) => {
      const member = this.members.get(memberId)
      if (member === undefined) return synced(errors.UNKNOWN_MEMBER_ID.code)
      if (generationId !== this.generationId) return synced(errors.ILLEGAL_GENERATION.code)
      if (this.state === 'PreparingRebalance') return synced(errors.REBALANCE_IN_PROGRESS.code)
      if (this.state === 'Stable') return synced(0, member.assignment)
      const answer = new Promise<SyncGroupResponse>(resolve => {
        member.sync = resolve
      })
      if (memberId === this.leader) this.#complete(assignments)
      return answer
    }
    cluster.answers.Heartbeat = ({ memberId, generationId }) => {
      const told = this.heartbeatErrors.shift()
      if (told !== undefined) return { throttleTimeMs: 0, errorCode: told }
      return { throttleTimeMs: 0, errorCode: this.#check(memberId, generationId) }
    }
    cluster.answers.LeaveGroup = ({ members }) => {
      for (const { memberId } of members) this.remove(memberId)
      return { throttleTimeMs: 0, errorCode: 0, members: members.map(member => ({ ...member, errorCode: 0 })) }
    }
    cluster.answers.OffsetCommit = request => {
      const { memberId, generationIdOrMemberEpoch, topics } = request
      const code = memberId === '' ? 0 : this.fence(memberId, generationIdOrMemberEpoch)
      for (const { name, partitions } of topics) {
        for (const { partitionIndex, committedOffset } of partitions) {
          if (code !== 0) continue
          this.committed.set(`${name}-${partitionIndex}`, committedOffset)
          this.commits.push(`${name}-${partitionIndex}@${committedOffset}`)
        }
      }
      return commitAnswer(request, () => code)
    }
    cluster.answers.OffsetFetch = ({ groups }) => ({
      throttleTimeMs: 0,
      topics: [],
      errorCode: 0,
      groups: groups.map(({ groupId, topics }) => ({
        groupId,
        errorCode: 0,
        topics: topics!.map(({ name, topicId, partitionIndexes }) => ({
          name,
          topicId,
          partitions: partitionIndexes.map(partitionIndex => ({
            partitionIndex,
            committedOffset: this.committed.get(`${name}-${partitionIndex}`) ?? -1,
            committedLeaderEpoch: -1,
            metadata: '',
            errorCode: 0,
          })),
        })),
      })),
    })
  }

  /** From now on only ids that it gave out and has not given up may join. */
  refuseUnknown(): { readonly refused: string[] } {
    const refused: string[] = []
    const given = this.#nextMember
    const join = this.#cluster.answers.JoinGroup!
    this.#cluster.answers.JoinGroup = (request, endpoint) => {
      const { memberId } = request
      const isOld = memberId !== '' && Number(memberId.slice('member-'.length)) < given
      if (!isOld || this.members.has(memberId)) return join(request, endpoint)
      refused.push(memberId)
      return refusedJoin(errors.UNKNOWN_MEMBER_ID.code, memberId)
    }
    return { refused }
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    member.session?.cancel()
    this.members.delete(memberId)
    if (this.members.size > 0) this.#rebalance()
    else this.state = 'Empty'
  }

  #join(request: JoinGroupRequest): Promise<JoinGroupResponse> | JoinGroupResponse {
    const before = this.#instance(request.groupInstanceId)
    if (request.memberId === '' && before !== undefined && this.state === 'Stable') return this.#back(before, request)
    if (request.memberId === '') return refusedJoin(errors.MEMBER_ID_REQUIRED.code, `member-${this.#nextMember++}`)
    const known = this.members.get(request.memberId)
    const isNew = known === undefined
    if (isNew && !/^member-\d+$/.test(request.memberId))
      return refusedJoin(errors.UNKNOWN_MEMBER_ID.code, request.memberId)
    const member = known ?? {
      memberId: request.memberId,
      request,
      join: null,
      sync: null,
      assignment: new Uint8Array(0),
      session: null,
    }
    member.request = request
    this.members.set(member.memberId, member)
    this.#touch(member)
    const answer = new Promise<JoinGroupResponse>(resolve => {
      member.join = resolve
    })
    this.#rebalance()
    return answer
  }

  #instance(groupInstanceId: string | null): Member | undefined {
    if (groupInstanceId === null) return undefined
    return [...this.members.values()].find(({ request }) => request.groupInstanceId === groupInstanceId)
  }

  /** A static member is back (KIP-814): it has what it had under a new id, and nobody else hears of it. */
  #back(before: Member, request: JoinGroupRequest): JoinGroupResponse {
    before.session?.cancel()
    this.members.delete(before.memberId)
    const memberId = `member-${this.#nextMember++}`
    const member: Member = { ...before, memberId, request, session: null }
    this.members.set(memberId, member)
    this.#touch(member)
    const leads = this.leader === before.memberId
    if (leads) this.leader = memberId
    const members = leads ? [...this.members.values()].map(each => this.#shown(each)) : []
    return { ...this.#joined(member), members, skipAssignment: leads }
  }

  #rebalance(): void {
    if (this.state === 'CompletingRebalance') {
      for (const member of this.members.values()) this.#answerSync(member, synced(errors.REBALANCE_IN_PROGRESS.code))
    }
    this.state = 'PreparingRebalance'
    this.#barrier?.cancel()
    const everyone = [...this.members.values()].every(({ join }) => join !== null)
    const timeouts = [...this.members.values()].map(({ request }) => request.rebalanceTimeoutMs)
    this.#barrier = this.#clock.after(everyone ? 3 : Math.max(...timeouts), () => this.#generation())
  }

  #generation(): void {
    for (const member of [...this.members.values()]) if (member.join === null) this.members.delete(member.memberId)
    const members = [...this.members.values()]
    if (members.length === 0) {
      this.state = 'Empty'
      return
    }
    this.generationId++
    this.state = 'CompletingRebalance'
    this.leader = this.members.has(this.leader) ? this.leader : members[0]!.memberId
    const names = members[0]!.request.protocols.map(({ name }) => name)
    this.protocolName = names.find(name =>
      members.every(({ request }) => request.protocols.some(p => p.name === name)),
    )!
    for (const member of members) {
      const answer = member.join!
      member.join = null
      this.#touch(member)
      const shown = member.memberId === this.leader ? members.map(m => this.#shown(m)) : []
      answer({ ...this.#joined(member), members: shown })
    }
  }

  #joined({ memberId }: Member): JoinGroupResponse {
    const { generationId, protocolName, leader } = this
    const group = { generationId, protocolType: 'consumer', protocolName, leader }
    return { throttleTimeMs: 0, errorCode: 0, ...group, skipAssignment: false, memberId, members: [] }
  }

  #shown({ memberId, request }: Member) {
    const metadata = request.protocols.find(({ name }) => name === this.protocolName)!.metadata
    return { memberId, groupInstanceId: request.groupInstanceId, metadata }
  }

  #complete(assignments: readonly { memberId: string; assignment: Uint8Array }[]): void {
    this.state = 'Stable'
    for (const member of this.members.values()) member.assignment = new Uint8Array(0)
    for (const { memberId, assignment } of assignments) {
      const member = this.members.get(memberId)
      if (member !== undefined) member.assignment = assignment
    }
    for (const member of this.members.values()) this.#answerSync(member, synced(0, member.assignment))
  }

  #answerSync(member: Member, response: SyncGroupResponse): void {
    member.sync?.(response)
    member.sync = null
  }

  #check(memberId: string, generationId: number): number {
    const fenced = this.fence(memberId, generationId)
    if (fenced !== 0) return fenced
    this.#touch(this.members.get(memberId)!)
    return this.state === 'PreparingRebalance' ? errors.REBALANCE_IN_PROGRESS.code : 0
  }

  /** Kafka's answer to a member that commits. */
  fence(memberId: string, generationId: number): number {
    if (!this.members.has(memberId)) return errors.UNKNOWN_MEMBER_ID.code
    return generationId === this.generationId ? 0 : errors.ILLEGAL_GENERATION.code
  }

  #touch(member: Member): void {
    member.session?.cancel()
    member.session = this.#clock.after(member.request.sessionTimeoutMs, () => {
      if (member.join === null) this.remove(member.memberId)
    })
  }
}

function refusedJoin(errorCode: number, memberId: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

function synced(errorCode: number, assignment: Uint8Array = new Uint8Array(0)): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: 'consumer', protocolName: null, assignment }
}
