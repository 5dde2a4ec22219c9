// A group of five hundred members, minute by minute under a clock that is moved by hand: every heartbeat goes out at its interval and is answered at once, and
// the group finds its way back to a whole assignment after a member fell silent and another came.
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { consumerGroupState } from './consumer-group.ts'
import { ConsumerMemberDouble } from './consumer-member.suite.ts'
import { type Asking, GroupWorld } from './group-world.suite.ts'

const MEMBERS = 500
const STEP_MS = 100
/** Much to compute on a slow machine. */
const TEST_MS = 180_000

/** Joins, syncs (the leader gives every member its own number) and heartbeats every three seconds, at a moment of its own. */
class ClassicMember {
  static readonly intervalMs = 3_000
  readonly #world: GroupWorld
  readonly #phaseMs: number
  memberId = ''
  generationId = -1
  share = ''
  late = 0
  expelled = 0
  isSilent = false
  #join: Asking<any> | null = null
  #sync: Asking<any> | null = null

  constructor(world: GroupWorld, index: number) {
    this.#world = world
    this.#phaseMs = ((index * 7) % (ClassicMember.intervalMs / STEP_MS)) * STEP_MS
  }

  live(nowMs: number): void {
    if (this.isSilent) return
    if (this.#join !== null) this.#joined(this.#join.reply)
    if (this.#sync !== null) this.#synced(this.#sync.reply)
    if (this.#join === null && this.generationId < 0) this.#joins()
    if (nowMs % ClassicMember.intervalMs === this.#phaseMs && this.generationId >= 0) this.#beat()
  }

  get isStable(): boolean {
    return this.#join === null && this.#sync === null && this.generationId >= 0
  }

  #joins(): void {
    // The version before KIP-394: its id comes with the answer.
    this.#join = this.#world.request('joinGroup', { memberId: this.memberId }, { apiVersion: 3 })
  }

  #joined(reply: any): void {
    if (reply === null) return
    this.#join = null
    if (reply.errorCode !== 0) throw new Error(`a join was refused: ${reply.errorCode}`)
    this.memberId = reply.memberId
    this.generationId = reply.generationId
    const assignments = reply.members.map(({ memberId }: { memberId: string }, index: number) => ({
      memberId,
      assignment: new Uint8Array(Buffer.from(String(index))),
    }))
    const { memberId, generationId } = this
    this.#sync = this.#world.request('syncGroup', { memberId, generationId, assignments })
  }

  #synced(reply: any): void {
    if (reply === null) return
    this.#sync = null
    if (reply.errorCode === 0) this.share = Buffer.from(reply.assignment).toString()
    else this.generationId = -1
  }

  #beat(): void {
    const { memberId, generationId } = this
    const { reply } = this.#world.request('heartbeat', { memberId, generationId })
    if (reply === null) this.late++
    else if (reply.errorCode === errors.REBALANCE_IN_PROGRESS.code) this.generationId = -1
    else if (reply.errorCode !== 0) this.expelled++
  }
}

test(
  '500 members of a classic group heartbeat on time through rebalances; only the silent one goes, and the rest share anew',
  () => {
    const world = new GroupWorld({ settings: { initialRebalanceDelayMs: 3_000 } })
    const members = Array.from({ length: MEMBERS }, (_, index) => new ClassicMember(world, index))
    let nowMs = 0
    const pass = (ms: number) => {
      for (const endMs = nowMs + ms; nowMs < endMs; nowMs += STEP_MS) {
        for (const member of members) member.live(nowMs)
        world.advance(STEP_MS)
      }
    }
    const expectWhole = (count: number) => {
      const well = members.filter(({ isSilent }) => !isSilent)
      expect(well.every(({ isStable }) => isStable)).toBe(true)
      expect(new Set(well.map(({ generationId }) => generationId)).size).toBe(1)
      expect(well.map(({ share }) => Number(share)).sort((a, b) => a - b)).toEqual([...Array(count).keys()])
      expect([...world.classic('g').members.keys()].sort()).toEqual(well.map(({ memberId }) => memberId).sort())
    }
    pass(20_000)
    expectWhole(MEMBERS)
    members[123]!.isSilent = true
    pass(20_000)
    expectWhole(MEMBERS - 1)
    members.push(new ClassicMember(world, MEMBERS))
    pass(20_000)
    expectWhole(MEMBERS)
    expect(members.reduce((sum, { late, expelled }) => sum + late + expelled, 0)).toBe(0)
  },
  TEST_MS,
)

test(
  '500 members of a consumer group heartbeat on time; only the silent one goes, and all partitions have one owner again',
  () => {
    const world = new GroupWorld({ topics: { orders: 1_000 }, settings: { consumerHeartbeatIntervalMs: 5_000 } })
    const members = Array.from({ length: MEMBERS }, (_, index) => new ConsumerMemberDouble(world, `m${index}`))
    const silent = new Set<ConsumerMemberDouble>()
    const refused: number[] = []
    /** Rounds of heartbeats, every member at its own moment within the interval. */
    const pass = (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        for (const member of members) {
          if (!silent.has(member)) refused.push(member.beat().errorCode)
          world.advance(5_000 / MEMBERS)
        }
      }
    }
    const expectWhole = (count: number) => {
      const group = world.consumer('g')
      expect(group.members.size).toBe(count)
      expect(consumerGroupState(group)).toBe('Stable')
      const owned = members.filter(member => !silent.has(member)).flatMap(member => member.of('orders'))
      expect(owned.sort((a, b) => a - b)).toEqual([...Array(1_000).keys()])
    }
    pass(5)
    expectWhole(MEMBERS)
    silent.add(members[123]!)
    // Its session is 45 seconds.
    pass(13)
    expectWhole(MEMBERS - 1)
    members.push(new ConsumerMemberDouble(world, 'late'))
    pass(5)
    expectWhole(MEMBERS)
    expect(refused.filter(code => code !== 0)).toEqual([])
  },
  TEST_MS,
)
