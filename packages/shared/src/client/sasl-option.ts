// The option `sasl` of every client, and how it becomes credentials that may go to other threads. What it holds is never shown.
import type { BearerCredentials, PasswordCredentials, SaslCredentials } from '../contracts/wire-security.ts'
import { isObject } from './options.ts'

/** A bearer token, for clusters behind OAuth or a cloud's own sign-on (`sasl.mechanism=OAUTHBEARER`, KIP-255). */
export interface BearerOption {
  readonly mechanism: 'OAUTHBEARER'
  /**
   * The token itself, or the URL of a module that exports `token`: a function that resolves with one, called for every login in the thread that logs in. What it
   * throws is tried again with the connection.
   */
  readonly token: string | URL
  /** SASL extensions (KIP-342), such as `{ logicalCluster: 'lkc-1' }`: names of letters, values of printable ASCII. Default none. */
  readonly extensions?: { readonly [name: string]: string }
}

/** SASL credentials for brokers over TCP. Never logged. */
export type SaslOption = PasswordCredentials | BearerOption

export const SASL_EXPECTED =
  "{ mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512', username, password }, or { mechanism: 'OAUTHBEARER', token } " +
  'with a token or the URL of a module that exports the function token'

const WITH_PASSWORD: readonly unknown[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Undefined for what is none. */
export function readSasl(given: unknown): SaslCredentials | undefined {
  if (!isObject(given)) return undefined
  const option = given as { readonly [name: string]: unknown }
  if (option.mechanism === 'OAUTHBEARER') return readBearer(option)
  const { mechanism, username, password } = option
  if (!WITH_PASSWORD.includes(mechanism) || typeof username !== 'string' || typeof password !== 'string')
    return undefined
  return { mechanism: mechanism as PasswordCredentials['mechanism'], username, password }
}

function readBearer({ token, extensions = {} }: { readonly [name: string]: unknown }): BearerCredentials | undefined {
  if (!isObject(extensions) || !Object.entries(extensions as object).every(isExtension)) return undefined
  const named = extensions as BearerCredentials['extensions']
  if (token instanceof URL) return { mechanism: 'OAUTHBEARER', token: { module: token.href }, extensions: named }
  if (typeof token !== 'string' || token === '') return undefined
  return { mechanism: 'OAUTHBEARER', token, extensions: named }
}

/** RFC 7628, section 3.1; `auth` is the token's own name. */
function isExtension([name, value]: readonly [string, unknown]): boolean {
  return /^[A-Za-z]+$/.test(name) && name !== 'auth' && typeof value === 'string' && /^[\x21-\x7e \t\r\n]+$/.test(value)
}
