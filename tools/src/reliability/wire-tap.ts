// Stands between clients and a Kafka node and writes down what is said about transactions: who asked what in which version, and what the answer was. A node that
// advertises the tap is heard as well when it talks to itself (WriteTxnMarkers, AddPartitionsToTxn). Bytes are passed on as they come.
import type { Socket } from 'node:net'
import { systemClock } from '@odradek/shared/base/clock'
import { type ApiMessages, apiOf } from '@odradek/shared/protocol/api-table'
import { decodeRequest, decodeResponse, peekCorrelationId, peekRequestHeader } from '@odradek/shared/protocol/frame'
import { FrameSplitter } from '@odradek/shared/protocol/frame-splitter'
import { baseSequence, producerEpoch, producerId, recordCount } from '@odradek/shared/records/record-batch'
import { LoopbackRelay } from '../apache-kafka/loopback-relay.ts'

/** Produce, FindCoordinator, ApiVersions, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, WriteTxnMarkers, TxnOffsetCommit. */
const HEARD = [0, 10, 18, 22, 24, 25, 26, 27, 28]
const FRAME_BYTES_MAX = 2 ** 31 - 1

interface Asked {
  readonly apiKey: number
  readonly apiVersion: number
}

export class WireTap {
  /** In the order in which they were heard. */
  readonly lines: string[] = []
  readonly #relay: LoopbackRelay
  readonly #messages: ReadonlyMap<number, ApiMessages>
  #connections = 0

  private constructor(relay: LoopbackRelay, messages: ReadonlyMap<number, ApiMessages>) {
    this.#relay = relay
    this.#messages = messages
  }

  static async open(): Promise<WireTap> {
    const messages = new Map<number, ApiMessages>()
    for (const key of HEARD) messages.set(key, await apiOf(key)!.load())
    const relay = await LoopbackRelay.open((client, broker) => tap.#listen(client, broker))
    const tap = new WireTap(relay, messages)
    return tap
  }

  get port(): number {
    return this.#relay.port
  }

  /** Where what comes is passed on to, from now on. */
  leadTo(port: number): void {
    this.#relay.leadTo(port)
  }

  /** Writes down something that the wire does not say. */
  note(words: string): void {
    this.lines.push(`${new Date(systemClock.now()).toISOString()} ${words}`)
  }

  close(): Promise<void> {
    return this.#relay.close()
  }

  #listen(client: Socket, broker: Socket): void {
    const name = `#${++this.#connections}`
    const asked = new Map<number, Asked>()
    this.#pass(client, broker, frame => this.#heardRequest(name, asked, frame))
    this.#pass(broker, client, frame => this.#heardResponse(name, asked, frame))
    client.once('close', () => this.note(`${name} closed${asked.size > 0 ? `, ${asked.size} unanswered` : ''}`))
  }

  #pass(from: Socket, to: Socket, heard: (frame: Uint8Array) => void): void {
    const splitter = new FrameSplitter({ frameBytesMax: FRAME_BYTES_MAX })
    let isReadable = true
    from.on('data', (chunk: Uint8Array) => {
      to.write(chunk)
      if (!isReadable) return
      try {
        splitter.push(chunk)
        for (let frame = splitter.next(); frame; frame = splitter.next()) heard(frame)
      } catch (error) {
        isReadable = false
        this.note(`what follows on a connection cannot be read: ${error}`)
      }
    })
    from.once('close', () => to.destroySoon())
  }

  #heardRequest(name: string, asked: Map<number, Asked>, frame: Uint8Array): void {
    const header = peekRequestHeader(frame)
    const { apiKey, apiVersion, correlationId, clientId } = header
    const messages = this.#messages.get(apiKey)
    if (messages === undefined) return
    asked.set(correlationId, { apiKey, apiVersion })
    const request = decodeRequest(messages.request, header, frame, { onLeftOver: () => undefined })
    this.note(`${name} ${clientId} ${correlationId} > ${apiOf(apiKey)!.name} ${apiVersion} ${told(request)}`)
  }

  #heardResponse(name: string, asked: Map<number, Asked>, frame: Uint8Array): void {
    const correlationId = peekCorrelationId(frame)
    const question = asked.get(correlationId)
    if (question === undefined) return
    asked.delete(correlationId)
    const { apiKey, apiVersion } = question
    const api = apiOf(apiKey)!.name
    const response = decodeResponse(this.#messages.get(apiKey)!.response, apiVersion, frame)
    const words = api === 'ApiVersions' ? featuresOf(response) : told(response)
    this.note(`${name} ${correlationId} < ${api} ${words}`)
  }
}

/** What says nothing is left out. */
function told(message: unknown): string {
  return JSON.stringify(message, function (this: Record<string, unknown>, name, value) {
    const whole = this[name]
    if (whole instanceof Uint8Array) return batchOf(whole)
    return value === null || (Array.isArray(value) && value.length === 0) ? undefined : value
  })
}

/** Who wrote it; its bytes say nothing to people. */
function batchOf(bytes: Uint8Array): string {
  const [id, epoch, sequence] = [producerId(bytes, 0), producerEpoch(bytes, 0), baseSequence(bytes, 0)]
  return `producer ${id} epoch ${epoch} sequence ${sequence} records ${recordCount(bytes, 0)}`
}

function featuresOf(response: unknown): string {
  const { finalizedFeatures, finalizedFeaturesEpoch } = response as Record<string, unknown>
  return JSON.stringify({ finalizedFeatures, finalizedFeaturesEpoch })
}
