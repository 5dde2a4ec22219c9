// Requests as real clients sent them, and messages of every version as Kafka's own classes wrote them: each is read, and
// written back byte for byte. The clients were recorded against a server that answered with this codec, so they have read
// our responses as well.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Api, type ApiMessages, apiOf, apiTable } from './api-table.ts'
import { decode, encode } from './codec.ts'
import { decodeRequest, encodeRequest, peekRequestHeader } from './frame.ts'
import { produceRequest } from './messages/00-produce.ts'
import { joinGroupRequest } from './messages/11-join-group.ts'
import { consumerProtocolSubscription } from './stored/consumer-protocol.records.ts'
import { decodeVersionedLenient } from './stored/versioned.ts'

interface CapturedFrame {
  /** API and version, such as `Produce v7`. */
  readonly title: string
  readonly frame: Uint8Array
}

function linesOf(file: string): string[] {
  const lines = readFileSync(new URL(`./fixtures/${file}.hex`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.filter(line => !line.startsWith('#'))
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

function captured(file: string): CapturedFrame[] {
  return linesOf(file).map(line => {
    const [name, version, hex] = line.split(' ')
    return { title: `${name} ${version}`, frame: bytesOf(hex!) }
  })
}

const clients = [
  { file: 'java-kafka-clients-4.3.1', clientId: 'java-client', frames: 39 },
  { file: 'librdkafka-2.16.0', clientId: 'librdkafka-client', frames: 21 },
  { file: 'kafkajs-2.2.4', clientId: 'kafkajs-client', frames: 26 },
  { file: 'platformatic-kafka-1.35.0', clientId: 'platformatic-client', frames: 26 },
]

describe.each(clients)('$file', ({ file, clientId, frames }) => {
  const all = captured(file)

  test('was recorded', () => {
    expect(all.length).toBe(frames)
  })

  test.each(all)('$title is read, and written back byte for byte', async ({ title, frame }) => {
    const header = peekRequestHeader(frame)
    const api = apiOf(header.apiKey) as Api
    expect(`${api.name} v${header.apiVersion}`).toBe(title)
    expect(header.clientId).toContain(clientId)
    const { request } = await api.load()
    const value = decodeRequest(request, header, frame, { unknownTags: 'keep' })
    const written = Buffer.concat(encodeRequest(request, header.apiVersion, header, value)).subarray(4)
    expect(written.toString('hex')).toBe(Buffer.from(frame).toString('hex'))
  })
})

describe('what the clients say', () => {
  const bodyOf = (file: string, title: string): CapturedFrame => captured(file).find(one => one.title === title)!

  test('kafkajs produces with acks -1 to a topic by name', () => {
    const { frame } = bodyOf('kafkajs-2.2.4', 'Produce v7')
    const value = decodeRequest(produceRequest, peekRequestHeader(frame), frame)
    expect(value).toMatchObject({ acks: -1, topicData: [{ name: 'orders', partitionData: [{ index: 0 }] }] })
  })

  test('Java produces to a topic by id', () => {
    const { frame } = bodyOf('java-kafka-clients-4.3.1', 'Produce v13')
    const value = decodeRequest(produceRequest, peekRequestHeader(frame), frame)
    expect(value.topicData[0]).toMatchObject({ name: '', topicId: 'ABEiM0RVZneImaq7zN3u_w' })
  })

  test.each([
    ['java-kafka-clients-4.3.1', 'JoinGroup v9'],
    ['librdkafka-2.16.0', 'JoinGroup v5'],
    ['kafkajs-2.2.4', 'JoinGroup v5'],
    ['platformatic-kafka-1.35.0', 'JoinGroup v9'],
  ])('%s subscribes in the consumer protocol', (file, title) => {
    const { frame } = bodyOf(file, title)
    const { protocolType, protocols } = decodeRequest(joinGroupRequest, peekRequestHeader(frame), frame)
    expect(protocolType).toBe('consumer')
    expect(decodeVersionedLenient(consumerProtocolSubscription, protocols[0]!.metadata).topics).toEqual(['orders'])
  })

  test('only known APIs were recorded', () => {
    const names = new Set(apiTable.filter(api => api.known).map(api => api.name))
    for (const { file } of clients) {
      for (const { title } of captured(file)) expect(names).toContain(title.split(' ')[0])
    }
  })
})

describe('the classes of Kafka 4.3.1', () => {
  const messages = linesOf('kafka-clients-4.3.1-messages').map(line => {
    const [key, kind, version, hex] = line.split(' ')
    return { key: Number(key), kind: kind as keyof ApiMessages, version: Number(version), hex: hex === '-' ? '' : hex! }
  })

  test('wrote a message of every version that we know', async () => {
    const written = new Set(messages.map(({ key, kind, version }) => `${key} ${kind} ${version}`))
    for (const api of apiTable.filter(candidate => candidate.known)) {
      for (let version = api.versionMin; version <= api.versionMax; version++) {
        expect(written).toContain(`${api.key} request ${version}`)
        expect(written).toContain(`${api.key} response ${version}`)
      }
    }
  })

  test('wrote bytes that are read, and written back the same', async () => {
    expect(messages.length).toBe(490)
    for (const { key, kind, version, hex } of messages) {
      const message = (await apiOf(key)!.load())[kind]
      const value = decode(message, version, bytesOf(hex))
      const written = Buffer.from(encode(message, version, value)).toString('hex')
      expect([message.name, version, written]).toEqual([message.name, version, hex])
    }
  })
})
