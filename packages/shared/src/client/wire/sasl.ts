// SASL as a client: PLAIN (RFC 4616), SCRAM-SHA-256/512 (RFC 5802, 7677), OAUTHBEARER (RFC 7628). Each mechanism is a conversation: bytes to send, then for every
// answer of the server the next bytes, or null when it is done. Never logs; throws KafkaError when the server's proof is wrong.
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { KafkaError } from '../../base/errors.ts'
import type { BearerCredentials, PasswordCredentials } from '../../contracts/wire-security.ts'

export interface SaslConversation {
  first(): Uint8Array
  /** The next bytes to send; null: the server has proven itself and nothing more is to be said. */
  next(challenge: Uint8Array): Uint8Array | null
}

export function passwordConversation(
  credentials: PasswordCredentials,
  nonce = randomBytes(18).toString('base64'),
): SaslConversation {
  if (credentials.mechanism === 'PLAIN') return plain(credentials)
  return new Scram(credentials, credentials.mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', nonce)
}

/** A server that does not take the token says why, and refuses only after it was answered (RFC 7628, section 3.2.2). */
export function bearerConversation(token: string, extensions: BearerCredentials['extensions']): SaslConversation {
  const pairs = [['auth', `Bearer ${token}`], ...Object.entries(extensions)].map(
    ([name, value]) => `${name}=${value}\u0001`,
  )
  let refusal: string | null = null
  return {
    first: () => utf8(`n,,\u0001${pairs.join('')}\u0001`),
    next(challenge) {
      if (refusal !== null) throw failure(`the server says: ${refusal}`)
      if (challenge.length === 0) return null
      refusal = Buffer.from(challenge).toString('utf8')
      return utf8('\u0001')
    },
  }
}

function plain({ username, password }: PasswordCredentials): SaslConversation {
  return { first: () => utf8(`\u0000${username}\u0000${password}`), next: () => null }
}

/** Servers may ask for at least this many rounds; fewer would make the password easy to guess (RFC 7677). */
const ITERATIONS_MIN = 4096
/** More would let a server keep us busy. */
const ITERATIONS_MAX = 1_000_000

class Scram implements SaslConversation {
  readonly #password: string
  readonly #hash: 'sha256' | 'sha512'
  readonly #nonce: string
  readonly #clientFirst: string
  #serverSignature: Buffer | null = null

  constructor({ username, password }: PasswordCredentials, hash: 'sha256' | 'sha512', nonce: string) {
    this.#password = password
    this.#hash = hash
    this.#nonce = nonce
    this.#clientFirst = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  first(): Uint8Array {
    return utf8(`n,,${this.#clientFirst}`)
  }

  next(challenge: Uint8Array): Uint8Array | null {
    const text = Buffer.from(challenge).toString('utf8')
    if (this.#serverSignature) return this.#verify(text, this.#serverSignature)
    return utf8(this.#prove(text))
  }

  #prove(serverFirst: string): string {
    const { r: nonce, s: salt, i: iterations } = attributes(serverFirst)
    if (!nonce?.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw failure("the server's nonce does not continue ours")
    const rounds = Number(iterations)
    if (!salt || !Number.isInteger(rounds) || rounds < ITERATIONS_MIN || rounds > ITERATIONS_MAX) {
      throw failure(`the server asks for ${iterations} rounds, ${ITERATIONS_MIN} to ${ITERATIONS_MAX} are accepted`)
    }
    const bytes = this.#hash === 'sha256' ? 32 : 64
    const salted = pbkdf2Sync(this.#password.normalize('NFKC'), Buffer.from(salt, 'base64'), rounds, bytes, this.#hash)
    const clientKey = this.#hmac(salted, 'Client Key')
    const withoutProof = `c=biws,r=${nonce}`
    const message = `${this.#clientFirst},${serverFirst},${withoutProof}`
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), message)
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), message)
    return `${withoutProof},p=${xor(clientKey, signature).toString('base64')}`
  }

  #verify(serverFinal: string, expected: Buffer): null {
    const { v: verifier, e: error } = attributes(serverFinal)
    if (error) throw failure(`the server says: ${error}`)
    const given = Buffer.from(verifier ?? '', 'base64')
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw failure('the server could not prove that it knows the password')
    return null
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest()
  }
}

function attributes(text: string): { [name: string]: string | undefined } {
  return Object.fromEntries(text.split(',').map(part => [part.slice(0, 1), part.slice(2)]))
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ b[index]!))
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function failure(reason: string): KafkaError {
  return new KafkaError('ODK_SASL_AUTHENTICATION_FAILED', `SASL authentication failed: ${reason}`, {
    kafkaCode: 58,
    kafkaName: 'SASL_AUTHENTICATION_FAILED',
    fatal: true,
  })
}
