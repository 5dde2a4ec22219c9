// What a client takes along to its threads.
import { expect, test } from 'vitest'
import { type CommonClientOptions, commonOptions } from './common-options.ts'
import { openClusterDoor } from './open-door.ts'
import { anything, isFunction, type OptionTable, parseOptions } from './options.ts'

test('what the user gave as functions stays in his thread: the rest crosses to the thread of the link', async () => {
  const table = { ...commonOptions('test'), onAssigned: anything(null, 'a function', isFunction, undefined) }
  const given: CommonClientOptions = { bootstrapServers: 'localhost:1', retryBackoffMs: 7 }
  const { options } = parseOptions('test', table as OptionTable<any>, { ...given, onAssigned: () => {} }, {})
  const door = openClusterDoor('test', options)
  expect(structuredClone(door.link)).toMatchObject({ kind: 'wire', patience: { retryBackoffMs: 7 } })
  await door.release?.()
})
