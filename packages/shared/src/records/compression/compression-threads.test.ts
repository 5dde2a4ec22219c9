// Codecs in several threads at once: what one compresses, it reads back, whatever the others do.
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { builtUrl } from '../../actor/built-url.ts'

const THREADS = 3
const ROUNDS = 400

function threadOf(codec: string): string {
  const url = JSON.stringify(builtUrl(new URL('./compression.ts', import.meta.url).href))
  return `
    import { parentPort } from 'node:worker_threads'
    import { compress, decompress } from ${url}
    const text = Buffer.from('"order":123,"customer":77,"amount":99123,'.repeat(800))
    let broken = 0
    for (let round = 0; round < ${ROUNDS}; round++) {
      const copy = decompress('${codec}', compress('${codec}', text), 1_000_000)
      if (Buffer.compare(copy, text) !== 0) broken++
    }
    parentPort.postMessage(broken)
  `
}

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('%s is not disturbed by other threads', async codec => {
  const source = new URL(`data:text/javascript,${encodeURIComponent(threadOf(codec))}`)
  const outcomes = Array.from({ length: THREADS }, () => {
    const worker = new Worker(source)
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  expect(await Promise.all(outcomes)).toEqual(Array.from({ length: THREADS }, () => 0))
})
