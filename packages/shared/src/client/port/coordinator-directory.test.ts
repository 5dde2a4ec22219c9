import { expect, test } from 'vitest'
import type { MemberRef } from '../../contracts/coordinator.contract.ts'
import type { LinkHost } from '../cluster-link.ts'
import type { BrokerLine } from './broker-line.ts'
import { CoordinatorDirectory } from './coordinator-directory.ts'

const member: MemberRef = { groupId: 'g', memberId: 'm' }

/** A link to one incarnation of a shard, as the directory sees it. */
class ShardDouble {
  readonly told: string[] = []
  isClosed = false
  rebalance: (member: MemberRef) => void = () => {}
  readonly address

  constructor(address: { readonly incarnation: number }) {
    this.address = address
  }

  on(_name: string, listener: (member: MemberRef) => void): void {
    this.rebalance = listener
  }

  tell(name: string, { memberId }: MemberRef): boolean {
    this.told.push(`${name} ${memberId}`)
    return true
  }

  close(): void {
    this.isClosed = true
  }
}

/** A broker with one group shard, of which another incarnation can be started. */
class House {
  readonly opened: ShardDouble[] = []
  incarnation = 1
  partitions = 1
  /** Holds the broker's answers back until it is called. */
  release: () => void = () => {}
  isSlow = false
  asked = 0
  failure: Error | null = null
  readonly directory: CoordinatorDirectory

  constructor() {
    const ask = async () => {
      this.asked++
      if (this.failure !== null) throw this.failure
      const answer = { partitions: this.partitions, address: { incarnation: this.incarnation } }
      if (this.isSlow) await new Promise<void>(resolve => (this.release = resolve))
      return answer
    }
    const link = (_contract: unknown, address: { readonly incarnation: number }) => {
      const shard = new ShardDouble(address)
      this.opened.push(shard)
      return shard
    }
    const host = { link, limits: { askDeadlineMs: 1_000 } } as unknown as LinkHost
    this.directory = new CoordinatorDirectory(host, { link: { ask } } as unknown as BrokerLine)
  }

  find() {
    return this.directory.owner('group', 'g', 1_000)
  }
}

const turns = () => new Promise<void>(resolve => setImmediate(resolve))

test('a shard that was started anew is told who watches, and its news arrive', async () => {
  const house = new House()
  let told = 0
  house.directory.watchMember(member, () => told++)
  await turns()
  const [first] = house.opened
  expect(first!.told).toContain('watchMember m')
  first!.isClosed = true
  house.incarnation++
  await house.find()
  const second = house.opened[1]!
  expect(second.told).toEqual(['watchMember m'])
  second.rebalance(member)
  expect(told).toBe(1)
})

test('who stopped to watch is not told of, neither to the shard that runs nor to the next', async () => {
  const house = new House()
  const stop = house.directory.watchMember(member, () => expect.fail('nobody listens any more'))
  await turns()
  stop()
  await turns()
  expect(house.opened[0]!.told.at(-1)).toBe('unwatchMember m')
  house.opened[0]!.rebalance(member)
  house.opened[0]!.isClosed = true
  await house.find()
  expect(house.opened[1]!.told).toEqual([])
})

test('a later watch of a member stays when an earlier one is given up', async () => {
  const house = new House()
  let told = 0
  const stop = house.directory.watchMember(member, () => expect.fail('it was replaced'))
  house.directory.watchMember(member, () => told++)
  stop()
  await turns()
  expect(house.opened[0]!.told).not.toContain('unwatchMember m')
  house.opened[0]!.rebalance(member)
  expect(told).toBe(1)
})

test('whoever looks for a shard at the same time shares one question and one link', async () => {
  const house = new House()
  const first = await Promise.all([house.find(), house.find()])
  expect(first[0]).toBe(first[1])
  expect([house.asked, house.opened.length]).toEqual([1, 1])

  house.opened[0]!.isClosed = true
  const second = await Promise.all([house.find(), house.find()])
  expect(second[0]).toBe(second[1])
  expect([house.asked, house.opened.length]).toEqual([2, 2])
})

test('an answer that comes late opens no second link', async () => {
  const house = new House()
  house.isSlow = true
  const asked = house.find()
  house.isSlow = false
  await house.directory.partitions('group', 1_000)
  house.incarnation++
  const found = await house.directory.shard('group', 0, 1_000)
  house.release()
  expect(await asked).toBe(found)
  expect(house.opened).toHaveLength(1)
})

test('a question that failed is asked again', async () => {
  const house = new House()
  house.failure = new Error('the broker starts anew')
  await expect(house.find()).rejects.toThrow('starts anew')
  house.failure = null
  expect(await house.find()).not.toBe(null)
})

test('a closed directory opens nothing, also when the broker answers late', async () => {
  const house = new House()
  await house.directory.partitions('group', 1_000)
  house.isSlow = true
  const asked = house.find()
  house.directory.close()
  house.release()
  expect(await asked).toBe(null)
  expect(await house.find()).toBe(null)
  expect(house.opened).toEqual([])
})

test('without an internal topic there is no shard to ask', async () => {
  const house = new House()
  house.partitions = 0
  expect(await house.find()).toBe(null)
  expect(house.opened).toEqual([])
})
