// In which version a reply is written: that of its request, with one exception. Pure.
import type { ApiName } from '../../contracts/api-map.ts'
import { errors } from '../../protocol/error-codes.ts'

/** After the correlation id. */
const ERROR_CODE_AT = 4

/** A broker that does not know the version of an ApiVersions request answers in version 0, which everybody can read (KIP-511). */
export function versionOfReply(api: ApiName, requestVersion: number, frame: Uint8Array): number {
  if (api !== 'ApiVersions' || frame.length < ERROR_CODE_AT + 2) return requestVersion
  const errorCode = (frame[ERROR_CODE_AT]! << 8) | frame[ERROR_CODE_AT + 1]!
  return errorCode === errors.UNSUPPORTED_VERSION.code ? 0 : requestVersion
}
