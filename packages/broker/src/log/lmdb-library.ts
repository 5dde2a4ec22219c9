// The library under the logs, as a thread loads it: when its first environment is opened, so that a broker in memory never does.
import { createRequire } from 'node:module'

/** Its types leave out what it says of keys. */
type Lmdb = typeof import('lmdb') & { bufferToKeyValue(key: Uint8Array): unknown }

let lmdb: Lmdb | undefined
/** The CommonJS build: one file loads in two thirds of the time of the twenty modules of the other, and can be loaded here and now. */
let requireLmdb = (): Lmdb => createRequire(import.meta.url)('lmdb')

/** For packed code, which has a road of its own (tools/src/pack). Before the library is first needed. */
export function requireLmdbBy(load: () => Lmdb): void {
  requireLmdb = load
}

/** Loads it at the first call; also called ahead of the need. */
export function loadLmdb(): Lmdb {
  lmdb ??= requireLmdb()
  return lmdb
}
