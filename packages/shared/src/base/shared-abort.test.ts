import { expect, it } from 'vitest'
import { sharedAbort } from './shared-abort.ts'

it('is listened to by many at once without a warning, and tells all of them', async () => {
  const warnings: string[] = []
  const note = (warning: Error) => void warnings.push(warning.name)
  process.on('warning', note)
  const abort = sharedAbort()
  let told = 0
  for (let listener = 0; listener < 100; listener++) abort.signal.addEventListener('abort', () => told++)
  abort.abort()
  // Warnings are told in the next turn.
  await new Promise(setImmediate)
  process.off('warning', note)
  expect({ told, warnings }).toEqual({ told: 100, warnings: [] })
})
