// An AbortController whose signal many listen to at once: requests in flight, retries that pause. The platform takes more than ten
// listeners of one signal for a leak, and warns on standard error; whoever listens here stops listening when it is done.
import { setMaxListeners } from 'node:events'

export function sharedAbort(): AbortController {
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  return abort
}
