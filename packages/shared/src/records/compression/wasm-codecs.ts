/**
 * LZ4 frames and raw Snappy blocks, by the WebAssembly module that @platformatic/wasm-utils ships. We instantiate it
 * ourselves instead of through the package's functions: damaged input makes its decoders trap, which loses the memory
 * they held, and its memory never shrinks; an instance of our own can be thrown away in both cases (decision 0001).
 * Callers have checked what the input may expand to.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { limits } from '../../base/limits.ts'
import { loadingNow } from '../../base/loading.ts'
import { CorruptRecordError } from '../corrupt-record-error.ts'

/** The part of the global WebAssembly that is used; its types come with the DOM library, which servers do not load. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: unknown }
  RuntimeError: new () => Error
}

type WasmCodec = 'lz4_compress' | 'lz4_decompress' | 'snappy_compress' | 'snappy_decompress'

/** Takes address and length of the input; answers address (high 32 bits) and length (low) of an output to free. */
type WasmFunction = (address: number, length: number) => bigint

interface WasmExports extends Record<WasmCodec, WasmFunction> {
  memory: { buffer: ArrayBuffer }
  alloc(length: number): number
  dealloc(address: number, length: number): void
}

let compiled: object | undefined
let current: WasmExports | undefined

/** Runs one codec over at least one byte; an own exact buffer. Throws CORRUPT_MESSAGE when it traps on damaged input. */
export function runWasmCodec(codec: WasmCodec, bytes: Uint8Array): Uint8Array {
  current ??= instantiate()
  const wasm = current
  current = undefined // stays so if the call traps
  const input = wasm.alloc(bytes.length)
  new Uint8Array(wasm.memory.buffer, input, bytes.length).set(bytes)
  const located = locateOutput(wasm, codec, input, bytes.length)
  const output = Number(located >> 32n)
  const length = Number(located & 0xffffffffn)
  const result = new Uint8Array(wasm.memory.buffer.slice(output, output + length))
  wasm.dealloc(output, length)
  wasm.dealloc(input, bytes.length)
  if (wasm.memory.buffer.byteLength <= limits.wasmMemoryKeptBytesMax) current = wasm
  return result
}

function locateOutput(wasm: WasmExports, codec: WasmCodec, input: number, length: number): bigint {
  try {
    return BigInt.asUintN(64, wasm[codec](input, length))
  } catch (cause) {
    if (!(cause instanceof WebAssembly.RuntimeError)) throw cause
    throw new CorruptRecordError('CORRUPT_MESSAGE', `damaged data: ${codec} trapped`, { cause })
  }
}

function readLibrary(): Buffer<ArrayBuffer> {
  const packageEntry = createRequire(import.meta.url).resolve('@platformatic/wasm-utils')
  return readFileSync(new URL('native.wasm', pathToFileURL(packageEntry)))
}

function instantiate(): WasmExports {
  if (compiled === undefined) {
    // There is no doing without it, also in a thread that is being ended.
    compiled = new WebAssembly.Module(loadingNow(readLibrary) ?? readLibrary())
  }
  return new WebAssembly.Instance(compiled).exports as WasmExports
}
