// A contract's names as numbers: both ends import the same contract, so a name travels as its position.
import type { BuffersOf, Contract } from './contract.ts'

/** One vocabulary: names in order, and what each needs. */
export interface WordList<T> {
  readonly names: readonly string[]
  readonly index: ReadonlyMap<string, number>
  readonly items: readonly T[]
}

interface AskWord {
  readonly deadlineMs: number
  readonly requestBuffers?: BuffersOf<any>
  readonly responseBuffers?: BuffersOf<any>
}

interface TellWord {
  readonly buffers?: BuffersOf<any>
  readonly isVital?: boolean
}

export interface Words {
  readonly asks: WordList<AskWord>
  readonly tells: WordList<TellWord>
  readonly news: WordList<TellWord>
}

const known = new WeakMap<Contract, Words>()

/** The words of a contract; computed once per contract. */
export function wordsOf(contract: Contract): Words {
  let words = known.get(contract)
  if (words === undefined) {
    words = { asks: listOf(contract.asks), tells: listOf(contract.tells), news: listOf(contract.news) }
    known.set(contract, words)
  }
  return words
}

function listOf<T>(vocabulary: { readonly [name: string]: T }): WordList<T> {
  const names = Object.keys(vocabulary)
  return { names, index: new Map(names.map((name, at) => [name, at])), items: Object.values(vocabulary) }
}

/** Bytes of the buffers that travel with a message. */
export function bytesOf(buffers: BuffersOf<any> | undefined, message: unknown): number {
  if (buffers === undefined) return 0
  let bytes = 0
  for (const view of buffers(message)) if (view) bytes += view.byteLength
  return bytes
}
