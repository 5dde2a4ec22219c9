// What a link costs over a bare MessagePort, side by side: the ratios are the result, absolute times depend on the machine.
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterAll, bench, describe } from 'vitest'
import { createActorSystem } from './actor-system.ts'
import { echoModule } from './suite/echo.actor.ts'
import { echo } from './suite/echo.contract.ts'

const PIPELINED = 1_000
const LARGE = 64 * 1024

/** A thread that answers every message with itself, and moves it back when it is a byte array. */
const bareEcho = `
const { workerData: port } = require('node:worker_threads')
port.on('message', message => port.postMessage(message, message instanceof Uint8Array ? [message.buffer] : []))`

const { port1: bare, port2 } = new MessageChannel()
const worker = new Worker(bareEcho, { eval: true, workerData: port2, transferList: [port2] })
let heard: (message: unknown) => void = () => {}
bare.on('message', message => heard(message))

/** Says something to the bare port; resolves with the echo. */
function say(message: unknown, transfer: ArrayBuffer[] = []): Promise<unknown> {
  bare.postMessage(message, transfer)
  return new Promise(resolve => {
    heard = resolve
  })
}

const system = createActorSystem({ threads: 2 })
const other = await system.spawn(echoModule, {}, { name: 'other' })
const link = system.link(echo, other.address)
const here = await system.spawn(echoModule, {}, { name: 'here', lane: 0 })
const loop = system.link(echo, here.address)

afterAll(async () => {
  await system.close()
  bare.close()
  await worker.terminate()
})

describe('one question at a time', () => {
  bench('bare port', async () => {
    await say([1, 0, 0, 0, { n: 1 }])
  })
  bench('link between threads', async () => {
    await link.ask('echo', { n: 1 })
  })
  bench('link inside one lane', async () => {
    await loop.ask('echo', { n: 1 })
  })
})

describe(`${PIPELINED} questions outstanding (one iteration is all of them)`, () => {
  const entries = Array.from({ length: PIPELINED }, (_, n) => [1, 0, n, 0, { n }]).flat()
  bench('bare port: one array there and back, no promise per question', async () => {
    await say(entries)
  })
  bench('link between threads', async () => {
    await Promise.all(Array.from({ length: PIPELINED }, (_, n) => link.ask('echo', { n })))
  })
  bench('link inside one lane', async () => {
    await Promise.all(Array.from({ length: PIPELINED }, (_, n) => loop.ask('echo', { n })))
  })
})

describe('64 KiB there and back, one at a time', () => {
  bench('bare port', async () => {
    const bytes = new Uint8Array(LARGE)
    await say(bytes, [bytes.buffer])
  })
  bench('link between threads', async () => {
    await link.ask('bytes', { label: '', bytes: new Uint8Array(LARGE) })
  })
})
