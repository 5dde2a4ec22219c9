/**
 * Zstandard: node:zlib where it has it (Node 22.15 and later), else the stream coders of the native @cloudpss/zstd. Loaded at first use.
 */
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { limits } from '../../base/limits.ts'
import { loadingNow } from '../../base/loading.ts'
import { CorruptRecordError } from '../corrupt-record-error.ts'
import { type Codec, exactBytes } from './codec.ts'
import { type ZstdFrame, zstdFrames } from './zstd-frames.rules.ts'

/** Kafka's default (`compression.zstd.level`). */
const LEVEL_DEFAULT = 3

/** Input that the streaming decoder gets at once, so that its cap is looked at often. */
const STREAM_STEP_BYTES = 16 * 1024

export const zstdCodec: Codec = {
  compress(bytes, level = LEVEL_DEFAULT) {
    return exactBytes(library().compress(bytes, level))
  },

  decompress(bytes, maxBytes) {
    const { decompress } = library()
    const frames = zstdFrames(bytes)
    try {
      return exactBytes(decompress(bytes, frames, maxBytes))
    } catch (cause) {
      if (cause instanceof CorruptRecordError) throw cause
      throw new CorruptRecordError('CORRUPT_MESSAGE', 'zstd data does not decompress', { cause })
    }
  },
}

interface ZstdLibrary {
  compress(bytes: Uint8Array, level: number): Uint8Array
  decompress(bytes: Uint8Array, frames: readonly ZstdFrame[], maxBytes: number): Uint8Array
}

let loaded: ZstdLibrary | undefined

function library(): ZstdLibrary {
  loaded ??= typeof (zlib as ZlibWithZstd).zstdCompressSync === 'function' ? builtInZstd() : nativeZstd()
  return loaded
}

/** What node:zlib gained in 22.15; our type definitions are those of 20. */
interface ZlibWithZstd {
  zstdCompressSync?(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
  constants: { ZSTD_c_compressionLevel?: number }
}

function builtInZstd(): ZstdLibrary {
  const { constants, zstdCompressSync, zstdDecompressSync } = zlib as ZlibWithZstd
  return {
    compress: (bytes, level) => zstdCompressSync!(bytes, { params: { [constants.ZSTD_c_compressionLevel!]: level } }),
    decompress(bytes, frames, maxBytes) {
      // node:zlib stops at the end of the first frame and says nothing of the rest.
      const contents: Uint8Array[] = []
      let size = 0
      for (const { from, to } of frames) {
        const content = inflate(bytes.subarray(from, to), maxBytes - size)
        contents.push(content)
        size += content.length
      }
      return contents.length === 1 ? contents[0] : Buffer.concat(contents, size)
    },
  }

  function inflate(frame: Uint8Array, left: number): Uint8Array {
    try {
      const content = zstdDecompressSync!(frame, { maxOutputLength: Math.max(1, left) })
      if (content.length > left) throw tooLarge()
      return content
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : error
    }
  }
}

type OnOutput = (bytes: Buffer) => void

interface ZstdStream {
  data(bytes: Buffer, onOutput: OnOutput): void
  end(onOutput: OnOutput): void
}

/** The stream coders of @cloudpss/zstd's native module. Its functions `compress` and `decompress` share one context between all threads of the process, without a lock. */
interface NativeZstd {
  _NapiBindings: {
    Compressor: new (level: number) => ZstdStream
    Decompressor: new () => ZstdStream
  }
}

/** A decoder that met larger content than this is given up: its window stays as large as its largest frame asked for. */
const KEPT_DECODER_BYTES_MAX = limits.wasmMemoryKeptBytesMax

/** Coders are kept from frame to frame, one per thread and level: a new one costs more than a batch. One that failed is given up. */
function nativeZstd(): ZstdLibrary {
  const { Compressor, Decompressor } = loadNativeZstd()._NapiBindings
  const encoders = new Map<number, ZstdStream>()
  let decoder: ZstdStream | null = null
  return {
    compress(bytes, level) {
      const encoder = encoders.get(level) ?? new Compressor(level)
      encoders.delete(level)
      const pieces: Buffer[] = []
      encoder.data(bufferOver(bytes), piece => pieces.push(piece))
      encoder.end(piece => pieces.push(piece))
      encoders.set(level, encoder)
      return Buffer.concat(pieces)
    },
    decompress(bytes, frames, maxBytes) {
      const bound = frames.reduce((sum, frame) => sum + frame.bound, 0)
      const borrowed = decoder ?? new Decompressor()
      decoder = null
      // What may pass the bound is decoded in steps, so that the output is looked at often.
      const content = decompressInSteps(borrowed, bytes, maxBytes, bound <= maxBytes ? bytes.length : STREAM_STEP_BYTES)
      if (bound <= KEPT_DECODER_BYTES_MAX) decoder = borrowed
      return content
    },
  }
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const requireZstd = () => createRequire(import.meta.url)('@cloudpss/zstd/napi') as NativeZstd

function loadNativeZstd(): NativeZstd {
  try {
    // There is no doing without it, also in a thread that is being ended.
    return loadingNow(requireZstd) ?? requireZstd()
  } catch (cause) {
    const message = 'zstd needs Node 22.15 or later, or a platform for which @cloudpss/zstd has a binary'
    throw new CorruptRecordError('UNSUPPORTED_COMPRESSION_TYPE', message, { cause })
  }
}

/** Stops where the cap is passed. */
function decompressInSteps(decoder: ZstdStream, bytes: Uint8Array, maxBytes: number, stepBytes: number): Uint8Array {
  const pieces: Buffer[] = []
  let size = 0
  const keep = (piece: Buffer) => {
    size += piece.length
    if (size > maxBytes) throw tooLarge()
    pieces.push(piece)
  }
  const input = bufferOver(bytes)
  for (let at = 0; at < input.length; at += stepBytes) decoder.data(input.subarray(at, at + stepBytes), keep)
  decoder.end(keep)
  return Buffer.concat(pieces, size)
}

function tooLarge(): CorruptRecordError {
  return new CorruptRecordError('MESSAGE_TOO_LARGE', 'zstd data decompresses to more bytes than allowed')
}
