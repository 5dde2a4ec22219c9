// Where the token of a login comes from (OAUTHBEARER): the credentials themselves, or the caller's module, which makes one in the thread that logs in.
import type { Clock, Timer } from '../../base/clock.ts'
import { loading } from '../../base/loading.ts'
import type { BearerCredentials } from '../../contracts/wire-security.ts'
import { errors } from '../../protocol/error-codes.ts'
import { asError, authenticationFailed } from './connection-errors.ts'

/** How long a module may take over a token. */
export interface TokenPatience {
  readonly clock: Pick<Clock, 'after'>
  readonly timeoutMs: number
}

type Make = () => unknown

/**
 * Rejects with a fatal KafkaError when there will never be one: no such module, no function in it, or what it makes is no token. What the function throws, and its
 * silence, are a plain Error: the next login may have one.
 */
export async function bearerToken({ token }: BearerCredentials, patience: TokenPatience): Promise<string> {
  if (typeof token === 'string') return checked(token, 'the option sasl.token')
  const { module } = token
  const make = await exportedBy(module)
  const made = await inTime(
    Promise.resolve()
      .then(make)
      .catch(thrown => {
        throw new Error(`${module} made no token: ${asError(thrown).message}`, { cause: thrown })
      }),
    patience,
    module,
  )
  return checked(made, module)
}

async function exportedBy(module: string): Promise<Make> {
  const loaded: { readonly token?: unknown } = await loading(() => import(module)).catch(thrown => {
    throw refused(`${module} cannot be loaded: ${asError(thrown).message}`)
  })
  if (typeof loaded.token !== 'function') throw refused(`${module} exports no function token`)
  return loaded.token as Make
}

function inTime<T>(made: Promise<T>, { clock, timeoutMs }: TokenPatience, module: string): Promise<T> {
  let timer: Timer
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(timeoutMs, () => reject(new Error(`${module} made no token within ${timeoutMs} ms`)))
  })
  return Promise.race([made, late]).finally(() => timer.cancel())
}

/** RFC 6750, section 2.1. The token itself is not shown. */
function checked(made: unknown, maker: string): string {
  if (typeof made !== 'string')
    throw refused(`${maker} gave ${made === null ? 'null' : `a ${typeof made}`} instead of a token`)
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(made))
    throw refused(`${maker} gave text with characters that no token has (RFC 6750)`)
  return made
}

function refused(reason: string) {
  return authenticationFailed(errors.SASL_AUTHENTICATION_FAILED, reason)
}
