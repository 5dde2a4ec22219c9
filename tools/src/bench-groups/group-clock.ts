// One group of foreign clients over TCP while its third member joins and leaves: how long until every partition delivers to the member that has it then.
import { createProducer } from '@odradek/producer/create-producer'
import type { ForeignMember, MemberHouse, Strategy } from '../conformance/group-member.ts'

export const PARTITIONS = 6
const GIVE_UP_MS = 30_000
const LOAD_EVERY_MS = 5

interface Seat {
  readonly member: ForeignMember
  /** Partitions of which it read a record since the last change of the group. */
  readonly delivered: Set<number>
}

export class GroupClock {
  readonly #house: MemberHouse
  readonly #topic: string
  readonly #strategy: Strategy
  readonly #seats = new Set<Seat>()
  readonly #producer: ReturnType<typeof createProducer>
  readonly #writing: ReturnType<typeof setInterval>
  /** Records written before are none that tell of the change. */
  #since = 0
  #written = 0

  constructor(house: MemberHouse, bootstrapServers: string, topic: string, strategy: Strategy) {
    this.#house = house
    this.#topic = topic
    this.#strategy = strategy
    this.#producer = createProducer({ bootstrapServers, lingerMs: 0 })
    this.#writing = setInterval(() => this.#write(), LOAD_EVERY_MS)
  }

  /** Milliseconds from the wish to join until the group delivers. */
  async join(): Promise<number> {
    const begun = this.#begin()
    await this.#seat()
    return this.#delivering(begun)
  }

  /** Milliseconds from the wish to leave until the others deliver everything. The first to have come leaves last. */
  async leave(): Promise<number> {
    const seat = [...this.#seats].at(-1)!
    const begun = this.#begin()
    this.#seats.delete(seat)
    const leaving = seat.member.leave()
    const ms = await this.#delivering(begun)
    await leaving
    return ms
  }

  async close(): Promise<void> {
    for (const { member } of this.#seats) await member.leave()
    clearInterval(this.#writing)
    await this.#producer.close()
  }

  #begin(): number {
    this.#since = this.#written
    for (const { delivered } of this.#seats) delivered.clear()
    return performance.now()
  }

  async #seat(): Promise<void> {
    const delivered = new Set<number>()
    const member = await this.#house.join({
      groupId: this.#topic,
      topic: this.#topic,
      strategy: this.#strategy,
      onRecord: (partition, _offset, value) => {
        if (Number(value) > this.#since) delivered.add(partition)
      },
      onChange: () => {},
    })
    this.#seats.add({ member, delivered })
  }

  #write(): void {
    this.#written++
    for (let partition = 0; partition < PARTITIONS; partition++) {
      void this.#producer.send(this.#topic, { partition, value: Buffer.from(String(this.#written)) })
    }
  }

  async #delivering(begun: number): Promise<number> {
    while (!this.#isDelivering()) {
      if (performance.now() - begun > GIVE_UP_MS) throw new Error(`the group of ${this.#topic} does not settle`)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    return performance.now() - begun
  }

  #isDelivering(): boolean {
    const shares = [...this.#seats].map(({ member, delivered }) => ({ owned: member.owned(), delivered }))
    const all = new Set(shares.flatMap(({ owned }) => owned))
    const isWhole = all.size === PARTITIONS && shares.every(({ owned }) => owned.length > 0)
    const isOnce = shares.reduce((sum, { owned }) => sum + owned.length, 0) === PARTITIONS
    return isWhole && isOnce && shares.every(({ owned, delivered }) => owned.every(each => delivered.has(each)))
  }
}
