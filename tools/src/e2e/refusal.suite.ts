// What an admin call of several things was refused with.
import { PartialAdminError } from '@odradek/shared/client/admin'
import { expect } from 'vitest'

export async function refusal(call: Promise<unknown>): Promise<PartialAdminError> {
  const thrown = await call.then(
    () => undefined,
    error => error,
  )
  expect(thrown).toBeInstanceOf(PartialAdminError)
  return thrown
}
