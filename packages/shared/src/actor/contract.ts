// Words: how a contract is declared and what follows from it by type. A contract is one value that both ends import; it
// holds names, deadlines and which buffers travel, never behaviour. See `contracts/` for the contracts themselves.
import { limits } from '../base/limits.ts'

declare const types: unique symbol

/** Lists the byte arrays inside a message that travel with it: what is credited, and transferred when large and exact. */
export type BuffersOf<M> = (message: M) => Iterable<Uint8Array | null | undefined>

/**
 * A question that gets exactly one reply, or an error, before its deadline. News are heard as they come, but who awaits a reply goes on a moment later: a
 * reply is no place for what younger news may overtake.
 */
export interface Ask<Request, Response> {
  readonly [types]?: readonly [Request, Response]
  /** Used when the asker gives none. Milliseconds. */
  readonly deadlineMs: number
  readonly requestBuffers?: BuffersOf<Request>
  readonly responseBuffers?: BuffersOf<Response>
}

/** A message without a reply. It still costs credit, returned when its handler has run. */
export interface Tell<Message> {
  readonly [types]?: Message
  readonly buffers?: BuffersOf<Message>
  /** Of news: a peer that has no room for it loses its link instead, so that it opens another and asks for what it missed. Default false. */
  readonly isVital?: boolean
}

export interface Contract {
  readonly kind: string
  readonly asks: { readonly [name: string]: Ask<any, any> }
  readonly tells: { readonly [name: string]: Tell<any> }
  /** What the actor tells the peers that hold a link to it ("upward news is a tell"). */
  readonly news: { readonly [name: string]: Tell<any> }
}

export type RequestOf<A> = A extends Ask<infer Request, any> ? Request : never
export type ResponseOf<A> = A extends Ask<any, infer Response> ? Response : never
export type MessageOf<T> = T extends Tell<infer Message> ? Message : never

/** Declares an ask. `deadlineMs` defaults to `limits.askDeadlineMs`. */
export function ask<Request, Response>(options: Partial<Ask<Request, Response>> = {}): Ask<Request, Response> {
  return { deadlineMs: limits.askDeadlineMs, ...options }
}

/** Declares a tell. */
export function tell<Message>(options: Omit<Tell<Message>, typeof types> = {}): Tell<Message> {
  return options
}

/** Declares a contract; an identity function that keeps the literal types. */
export function defineContract<const C extends Contract>(contract: C): C {
  return contract
}
