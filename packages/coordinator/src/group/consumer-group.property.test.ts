// Any order of heartbeats, lost answers, joins, leaves, silences, topics that grow and coordinators that die: a partition never has two readers, and when
// the trouble stops everyone has its share.
import { assert } from '@odradek/shared/base/assert'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { consumerGroupState } from './consumer-group.ts'
import { ConsumerMemberDouble } from './consumer-member.suite.ts'
import { GroupWorld } from './group-world.suite.ts'

const SESSION_MS = 45_000

class Trouble {
  readonly world: GroupWorld
  readonly random: Random
  members: ConsumerMemberDouble[] = []
  /** When each was heard of last: beyond its session it must not read any more (the client's own timer sees to that). */
  readonly heard = new Map<ConsumerMemberDouble, number>()
  #ids = 0
  partitions = 4

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.world = new GroupWorld({ topics: { orders: this.partitions }, seed })
  }

  step(): void {
    const { random, world } = this
    const member = this.members[random.int(Math.max(1, this.members.length))]
    const dice = random.int(100)
    if (dice < 8 || member === undefined) this.#join()
    else if (dice < 12) this.#leave(member)
    else if (dice < 16) world.reload()
    else if (dice < 18) this.#grow()
    else if (dice < 26) this.#wait(random.int(SESSION_MS))
    else this.#beat(member, dice < 36)
    this.check()
  }

  check(): void {
    const readers = new Map<string, string>()
    for (const member of this.members) {
      for (const key of member.owned) {
        const other = readers.get(key)
        assert(other === undefined, `${key} is read by ${other} and ${member.memberId}`)
        readers.set(key, member.memberId)
      }
    }
    const group = world(this.world)
    if (group === undefined) return
    expect(this.world.replayed().groups.get('g')).toEqual(group)
  }

  #join(): void {
    if (this.members.length >= 6) return
    const instanceId = this.random.int(4) === 0 ? `i${this.random.int(2)}` : null
    const member = new ConsumerMemberDouble(this.world, `m${this.#ids++}`, {
      instanceId,
      // Longer than any session: a member that is fenced for holding on does not know it before it is heard of again, in Kafka as here.
      rebalanceTimeoutMs: 10 * SESSION_MS,
      serverAssignor: this.random.int(3) === 0 ? 'range' : null,
    })
    if (member.beat().errorCode !== 0) return
    this.members.push(member)
    this.heard.set(member, this.world.clock.now())
  }

  #leave(member: ConsumerMemberDouble): void {
    member.leave(member.options.instanceId && this.random.int(2) === 0 ? -2 : -1)
    this.members = this.members.filter(other => other !== member)
  }

  #grow(): void {
    this.partitions = Math.min(9, this.partitions + 1)
    this.world.createTopic('orders', this.partitions)
  }

  #wait(ms: number): void {
    this.world.advance(ms)
    // A client whose session may be over has stopped reading, and rejoins.
    for (const member of this.members) {
      if (this.world.clock.now() - this.heard.get(member)! < SESSION_MS) continue
      member.epoch = 0
      member.told = new Set()
      member.owned = new Set()
    }
  }

  #beat(member: ConsumerMemberDouble, isLost: boolean): void {
    const { errorCode } = member.beat({ isLost })
    if (!isLost) this.heard.set(member, this.world.clock.now())
    // Somebody else has its name by now.
    if (errorCode === 82 || errorCode === 111) this.members = this.members.filter(other => other !== member)
  }

  settle(): void {
    for (let round = 0; round < 14; round++) {
      for (const member of [...this.members]) this.#beat(member, false)
      this.world.advance(5_000)
      this.check()
    }
  }
}

function world({ state }: GroupWorld) {
  return state.groups.get('g')
}

test('one owner per partition at any time, the log tells the whole state, and the group converges', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), seed => {
      const trouble = new Trouble(seed)
      for (let i = 0; i < 80; i++) trouble.step()
      trouble.settle()
      if (trouble.members.length === 0) return
      const shares = trouble.members.map(member => member.of('orders').length)
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(trouble.partitions)
      expect(consumerGroupState(trouble.world.consumer('g'))).toBe('Stable')
    }),
    { numRuns: 200, seed: 848 },
  )
}, 120_000)
