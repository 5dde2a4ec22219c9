// Memory into which a key or a value is encoded before it is copied into a batch. Views of it are kept and used again, so that encoding text costs no
// object per record.
import type { Codec } from '@odradek/shared/client/codecs'
import { shown } from '@odradek/shared/client/options'

const SCRATCH_BYTES = 64 * 1024
const VIEWS_MAX = 4_096

/** What a codec of the user's gave. Anything else than bytes, such as the promise of an asynchronous `encode`, would be written as some bytes or other. */
function bytesOf(encoded: Uint8Array): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded
  const what = (encoded as unknown) instanceof Promise ? 'a promise' : shown(encoded)
  throw new TypeError(`encode must return a Uint8Array, got ${what}`)
}

export class Scratch {
  readonly #bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  readonly #views: (Uint8Array | undefined)[] = new Array(VIEWS_MAX)

  /** The encoded value: valid until the next call. */
  encode(codec: Codec, value: unknown): Uint8Array {
    if (codec.encodeInto === undefined || value instanceof Uint8Array) return bytesOf(codec.encode(value))
    const end = codec.encodeInto(value, this.#bytes, 0)
    if (!(end >= 0)) return bytesOf(codec.encode(value))
    if (end >= VIEWS_MAX) return this.#bytes.subarray(0, end)
    let view = this.#views[end]
    if (view === undefined) {
      view = this.#bytes.subarray(0, end)
      this.#views[end] = view
    }
    return view
  }
}
