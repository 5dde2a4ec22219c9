// Where a leader's log lives: one store per thread and place, shared by the leaders of a lane through the lane's resources.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { StorageInput } from '@odradek/shared/contracts/partition-leader.contract'
import { lmdbLogStore } from '../log/lmdb-log-store.ts'
import { memoryLogStore } from '../log/memory-log-store.ts'
import { type LogStore, openGate } from '../log/partition-log.ts'

/** The key under which a memory store lies in a lane's resources: tests and the simulator reach it to crash or read logs. */
export function memoryStoreKey(store: string): string {
  return `memory-log-store:${store}`
}

/**
 * The store of a place. It outlives the actor that opens it first, so it has no gate of its own: every leader makes its calls inside
 * the gate of its own context.
 */
export function openLogStore({ resources, log }: ActorContext, storage: StorageInput): LogStore {
  const notice = (message: string, fields: object) => log.info(fields, message)
  if (storage.kind === 'memory') return resources.get(memoryStoreKey(storage.store), () => memoryLogStore({ notice }))
  return resources.get(`lmdb-log-store:${storage.dir}`, () => lmdbLogStore(storage.dir, { gate: openGate, notice }))
}
