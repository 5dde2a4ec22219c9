// One connection to a broker that follows a script, and requests whose fate can be read while they are open.
import { defaultPatience, type WirePatience, type WireSecurity } from '../../contracts/wire-security.ts'
import { ClusterFeatures } from './cluster-features.ts'
import { Connection } from './connection.ts'
import { evenRandom, HandClock, handHost, ScriptedBroker } from './scripted-broker.suite.ts'

interface Scene {
  readonly patience?: Partial<WirePatience>
  readonly security?: WireSecurity
  readonly features?: ClusterFeatures
}

export function scene({ patience = {}, security = {}, features = new ClusterFeatures() }: Scene = {}) {
  const clock = new HandClock()
  const broker = new ScriptedBroker()
  const connection = new Connection({
    host: { ...handHost(clock), random: evenRandom },
    address: { host: '10.0.0.1', port: 9092 },
    clientId: 'test',
    security,
    patience: { ...defaultPatience, ...patience },
    openSocket: broker.openSocket,
    features,
  })
  const list = (deadlineMs = 60_000, signal?: AbortSignal) => {
    const encode = () => ({ statesFilter: [], typesFilter: [] })
    return outcome(connection.request('ListGroups', encode, signal ? { deadlineMs, signal } : { deadlineMs }))
  }
  return { clock, broker, connection, list }
}

/** A request's fate, readable while it is open. */
export function outcome<T>(promise: Promise<T>) {
  const fate = { value: undefined as T | undefined, error: undefined as (Error & { code?: string }) | undefined }
  promise.then(
    value => void Object.assign(fate, { value }),
    error => void Object.assign(fate, { error }),
  )
  return fate
}

/** A reply to what {@link scene} lists. */
export const groups = { throttleTimeMs: 0, errorCode: 0, groups: [] }

/** Credentials, and the broker's word that they are right. */
export const plain = { sasl: { mechanism: 'PLAIN', username: 'u', password: 'p' } } as const
export const token = { errorCode: 0, errorMessage: null, authBytes: new Uint8Array(0), sessionLifetimeMs: 0 }
