// Each word of the checker by an example, and what it must not complain about.
import { describe, expect, test } from 'vitest'
import { check } from './checker.rules.ts'
import { type Durability, History, type Send } from './history.ts'

/** Writes a history in verbs; every verb takes a second. */
class Story {
  readonly history: History
  #now = 0

  constructor(durability: Durability = { kind: 'everyCommit' }) {
    this.history = new History(() => this.#now)
    this.history.topics.set('t', durability)
  }

  pass(ms: number): this {
    this.#now += ms
    return this
  }

  send(value: string, offset: number | 'refused' | 'unknown', more: Partial<Send> = {}): this {
    this.pass(1_000)
    const { transaction, ...rest } = more
    const record = { producer: 'p', idempotent: true, topic: 't', key: null, value, ...rest }
    const send = this.history.sending(transaction ? { ...record, transaction } : record)
    if (typeof offset === 'number') this.history.acknowledged(send, { partition: 0, offset: BigInt(offset) })
    else this.history.failed(send, offset)
    return this
  }

  read(value: string, offset: number, { session = 1, committedOnly = false } = {}): this {
    this.pass(1_000)
    const at = { topic: 't', partition: 0, offset, key: null, value }
    this.history.read({ reader: 'r', session, committedOnly, ...at })
    return this
  }

  begin(from: number, session = 1): this {
    this.history.began({ reader: 'r', session, topic: 't', partition: 0, from })
    return this
  }

  losePower(): this {
    this.pass(1_000).history.crashed(true)
    return this
  }

  kill(): this {
    this.pass(1_000).history.crashed(false)
    return this
  }

  /** What the log holds at the end, from offset 0. Null: nothing that a reader is given. */
  finally(...values: readonly (string | null)[]): string[] {
    this.pass(1_000)
    values.forEach((value, offset) => {
      if (value !== null)
        this.history.readFinally({ committedOnly: false, topic: 't', partition: 0, offset, key: null, value })
    })
    return check(this.history).map(({ rule }) => rule)
  }
}

const story = (durability?: Durability) => new Story(durability)

test('a history that keeps its promises is left alone', () => {
  const kept = story().send('a', 0).send('b', 1).begin(0).read('a', 0).read('b', 1).send('lost', 'unknown').send('c', 2)
  expect(kept.finally('a', 'b', 'c')).toEqual([])
})

test('an empty history is a failure', () => {
  expect(story().finally()).toEqual(['empty-history', 'empty-history', 'empty-history'])
  expect(story().send('a', 'unknown').finally('a')).toEqual(['empty-history'])
})

describe('lost-write and unseen', () => {
  test('an acknowledged record that is missing below others is lost, at the end it is unseen', () => {
    expect(story().send('a', 0).send('b', 1).finally(null, 'b')).toEqual(['lost-write'])
    expect(story().send('a', 0).send('b', 1).finally('a')).toEqual(['unseen'])
  })

  test('a record whose fate is unknown may be there or not', () => {
    expect(story().send('a', 0).send('b', 'unknown').finally('a')).toEqual([])
    expect(story().send('a', 0).send('b', 'unknown').finally('a', 'b')).toEqual([])
  })

  test('the death of the process takes nothing, whatever the topic', () => {
    expect(story({ kind: 'none' }).send('a', 0).send('b', 1).kill().finally('a')).toEqual(['unseen'])
  })

  test('power loss takes nothing of a topic that flushes every commit', () => {
    expect(story().send('a', 0).send('b', 1).losePower().finally('a')).toEqual(['unseen'])
  })

  test('power loss may take the tail of a topic that does not flush', () => {
    expect(story({ kind: 'none' }).send('a', 0).send('b', 1).losePower().finally('a')).toEqual([])
  })

  test('power loss never takes a record and leaves one that was acknowledged after it', () => {
    const holed = story({ kind: 'none' }).send('a', 0).send('b', 1).losePower().send('c', 2)
    expect(holed.finally(null, 'b', 'c')).toEqual(['lost-write'])
  })

  test('power loss takes nothing that is older than the flush interval', () => {
    const interval = { kind: 'interval', flushMs: 500 } as const
    expect(story(interval).send('a', 0).send('b', 1).losePower().finally('a')).toEqual([])
    expect(story(interval).send('a', 0).send('b', 1).pass(20_000).losePower().finally('a')).toEqual(['unseen'])
  })
})

describe('inconsistent-offset', () => {
  test('an acknowledgement that names another place than the log', () => {
    expect(story().send('a', 0).send('b', 1).finally('b', 'a')).toEqual(['inconsistent-offset', 'inconsistent-offset'])
  })

  test('an offset that held something else when it was read before', () => {
    expect(story().send('a', 'unknown').send('b', 0).begin(0).read('a', 0).finally('b')).toContain(
      'inconsistent-offset',
    )
  })

  test('an offset may be used again after power loss took what it held', () => {
    const again = story({ kind: 'none' }).send('a', 0).begin(0).read('a', 0).losePower().send('b', 0, { producer: 'q' })
    expect(again.finally('b')).toEqual([])
  })
})

describe('duplicate', () => {
  test('a value at two offsets', () => {
    expect(story().send('a', 0).send('b', 2).finally('a', 'a', 'b')).toEqual(['duplicate'])
  })

  test('a value that a reader saw twice, although one is gone', () => {
    const moved = story({ kind: 'none' })
      .send('a', 'unknown')
      .begin(0)
      .read('a', 0)
      .read('a', 1)
      .losePower()
      .send('b', 0)
    expect(moved.finally('b')).toEqual(['duplicate'])
  })

  test('is allowed without idempotence', () => {
    expect(story().send('a', 0, { idempotent: false }).finally('a', 'a')).toEqual([])
  })
})

test('nonmonotonic-send: acknowledged against the order of sending', () => {
  expect(story().send('a', 1).send('b', 0).finally('b', 'a')).toEqual(['nonmonotonic-send'])
})

describe('readers', () => {
  const log = () => story().send('a', 0).send('b', 1).send('c', 2)

  test('nonmonotonic-poll: a reader that goes back without being told to', () => {
    expect(log().begin(0).read('a', 0).read('b', 1).read('b', 1).finally('a', 'b', 'c')).toEqual(['nonmonotonic-poll'])
  })

  test('poll-skip: a reader that passes over a record, also at its beginning', () => {
    expect(log().begin(0).read('a', 0).read('c', 2).finally('a', 'b', 'c')).toEqual(['poll-skip'])
    expect(log().begin(1).read('c', 2).finally('a', 'b', 'c')).toEqual(['poll-skip'])
  })

  test('a reader that jumps begins a session of its own', () => {
    const jumped = log().begin(0).read('a', 0).read('b', 1).begin(0, 2).read('a', 0, { session: 2 })
    expect(jumped.finally('a', 'b', 'c')).toEqual([])
  })

  test('offsets without records, such as markers, are passed over', () => {
    expect(story().send('a', 0).send('c', 2).begin(0).read('a', 0).read('c', 2).finally('a', null, 'c')).toEqual([])
  })
})

describe('phantom', () => {
  test('a record that nobody sent', () => {
    expect(story().send('a', 0).finally('a', 'ghost')).toEqual(['phantom'])
  })

  test('a record that its producer refused', () => {
    expect(story().send('a', 0).send('b', 'refused').finally('a', 'b')).toEqual(['phantom'])
  })

  test('a record with another key than it was sent with', () => {
    expect(story().send('a', 0, { key: 'k' }).finally('a')).toEqual(['phantom'])
  })
})

describe('transactions', () => {
  const transaction = 'x'

  test('aborted-read: a committed read of an aborted record', () => {
    const told = story().send('a', 0).send('b', 1, { transaction })
    told.history.beganTransaction(transaction, 'p')
    expect(
      told.begin(0).read('a', 0, { committedOnly: true }).read('b', 1, { committedOnly: true }).finally('a'),
    ).toEqual(['aborted-read'])
  })

  test('torn-transaction: part of it is there for committed readers, part is not', () => {
    const told = story().send('a', 0, { transaction }).send('b', 1, { transaction })
    told.history.askedForCommit(told.history.beganTransaction(transaction, 'p'))
    told.history.readFinally({ committedOnly: true, topic: 't', partition: 0, offset: 0, key: null, value: 'a' })
    expect(check(told.history).map(({ rule }) => rule)).toEqual(['torn-transaction'])
  })

  test('committed readers pass over what was aborted', () => {
    const told = story().send('a', 0).send('b', 1, { transaction }).send('c', 2)
    told.history.beganTransaction(transaction, 'p')
    told.begin(0).read('a', 0, { committedOnly: true }).read('c', 2, { committedOnly: true })
    expect(told.finally('a', 'b', 'c')).toEqual([])
  })
})
