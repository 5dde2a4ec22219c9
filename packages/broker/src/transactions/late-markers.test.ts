// What a coordinator sent before it died and what comes late: a marker must not end a transaction that began after the one it speaks of. A producer of
// transaction.version 1 keeps its epoch, so only who sent the marker tells the two apart.
import { defineActor } from '@odradek/shared/actor/actor'
import { expect, test } from 'vitest'
import { actor as leader } from '../partition/partition-leader.actor.ts'
import { patiently, TransactionHouse } from './transaction-house.suite.ts'

const ID = 'shop'
const itself = (error: string) => error as never
const failed = ({ error }: { error: string }) => error as never

/** Leaders of one topic, where the first marker stays on its way until it is told to arrive. */
function slowRoad(topic: string) {
  let hold = () => {}
  const sent = new Promise<void>(resolve => {
    hold = resolve
  })
  let late: (() => unknown) | undefined
  const slow: typeof leader = defineActor({
    ...leader,
    async start(context, input) {
      const handlers = await leader.start(context, input)
      const { writeMarker } = handlers.ask
      const holding: typeof writeMarker = (request, peer) => {
        if (input.topic !== topic || late !== undefined) return writeMarker(request, peer)
        late = () => writeMarker(request, peer)
        hold()
        return new Promise(() => {})
      }
      return { ...handlers, ask: { ...handlers.ask, writeMarker: holding } }
    },
  })
  return { leader: slow, sent, arrive: async () => late!() }
}

test('a marker that a dead transaction coordinator has sent does not end the next transaction', () => {
  const road = slowRoad('orders')
  return TransactionHouse.tell(
    async house => {
      const producer = await house.init(ID, { version: 1 })
      const write = async (baseSequence: number, value: string) => {
        expect(await patiently(house, () => house.add(ID, producer, [0]), itself)).toBe('NONE')
        expect(await house.produce(ID, producer, { partition: 0, baseSequence, value }, 1)).toBe('NONE')
      }
      await write(0, 'first')
      const ending = house.end(ID, producer, true, 1)
      await road.sent
      await house.killCoordinators()
      await ending
      expect((await patiently(house, () => house.end(ID, producer, true, 1), failed)).error).toBe('NONE')
      await write(1, 'second')
      await road.arrive()
      expect(await house.readCommitted(0)).toEqual({ values: ['first'], hidden: 1 })
      expect((await house.end(ID, producer, false, 1)).error).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: ['first'], hidden: 0 })
    },
    { leader: road.leader },
  )
})

test('a marker that a dead group coordinator has sent does not decide the offsets of the next transaction', () => {
  const road = slowRoad('__consumer_offsets')
  return TransactionHouse.tell(
    async house => {
      const producer = await house.init(ID, { version: 1 })
      const commitOffset = (offset: number) => house.commitOffset(ID, producer, offset, { version: 1 })
      expect(await commitOffset(1)).toBe('NONE')
      const ending = house.end(ID, producer, true, 1)
      await road.sent
      await house.killCoordinators('group')
      expect((await ending).error).toBe('NONE')
      expect(await patiently(house, () => commitOffset(2), itself)).toBe('NONE')
      await road.arrive()
      expect((await house.end(ID, producer, false, 1)).error).toBe('NONE')
      await house.killCoordinators('group')
      const offset = await patiently(
        house,
        async () => house.committedOffset(ID),
        answered => (typeof answered === 'string' ? answered : 'NONE'),
      )
      expect(offset).toBe(1)
    },
    { leader: road.leader },
  )
})
