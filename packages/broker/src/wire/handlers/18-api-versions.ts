// ApiVersions 0-4. Computed from the router. A version that is unknown is answered in version 0 with UNSUPPORTED_VERSION and the list (KIP-511): the
// connection sees to that, since such a body cannot be decoded.
import { errors } from '@odradek/shared/protocol/error-codes'
import type { Handler } from './handler.ts'

/** KIP-511: what a client may call itself. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const NAMED_VERSION = 3

export const apiVersionsHandler: Handler<'ApiVersions'> = async (request, { caller, apiVersions }) => {
  const named =
    caller.apiVersion < NAMED_VERSION ||
    (SOFTWARE.test(request.clientSoftwareName) && SOFTWARE.test(request.clientSoftwareVersion))
  return named ? apiVersions() : { ...apiVersions(), errorCode: errors.INVALID_REQUEST.code, apiKeys: [] }
}
