// Every client reads what every client wrote, byte for byte, in every codec that both have; over TCP against one broker, default settings.
import { describe, expect, test } from 'vitest'
import { realClients } from './clients.ts'
import { clientsScene } from './clients-scene.suite.ts'
import { LETTER_PARTITIONS, lettersFor, linesOf } from './letters.ts'
import { type Codec, codecs, type Letter } from './real-client.ts'

const present = realClients.filter(({ missing }) => missing === null)
const absent = realClients.filter(({ missing }) => missing !== null)

/** One topic that one client wrote with one codec. */
interface Written {
  readonly topic: string
  readonly codec: Codec
  readonly writer: string
  readonly letters: readonly Letter[]
}

const topicOf = (writer: string, codec: Codec) => `${writer.replaceAll(/[^a-z-]/g, '')}-${codec}`

describe('letters between clients', () => {
  const names = present.flatMap(({ name }) => codecs.map(codec => topicOf(name, codec)))
  const { clients } = clientsScene(present, Object.fromEntries(names.map(name => [name, LETTER_PARTITIONS])))
  const written: Written[] = []

  test.each(present.map(({ name }) => name))(
    '%s writes with every codec that it has',
    async name => {
      const client = clients.get(name)!
      const letters = lettersFor(client.lacks)
      for (const codec of client.codecs) {
        const topic = topicOf(name, codec)
        await client.write(topic, codec, letters)
        written.push({ topic, codec, writer: name, letters })
      }
      expect(written.filter(({ writer }) => writer === name)).toHaveLength(client.codecs.length)
    },
    60_000,
  )

  test.each(present.map(({ name }) => name))(
    '%s reads every letter of every client',
    async name => {
      const client = clients.get(name)!
      const readable = written.filter(
        ({ codec, writer }) => client.codecs.includes(codec) && !client.fails.includes(`${writer} ${codec}`),
      )
      expect(new Set(readable.map(({ writer }) => writer)).size).toBe(present.length)
      const counts = new Map(readable.map(({ topic, letters }) => [topic, letters.length]))
      const found = linesOf(await client.read(counts), client)
      for (const { topic, codec, writer, letters } of readable) {
        const expected = linesOf(
          letters.map(letter => ({ ...letter, topic })),
          client,
        )
        const title = `${name} reads what ${writer} wrote with ${codec}`
        const ofTopic = Object.fromEntries(
          Object.entries(found).filter(([partition]) => partition.startsWith(`${topic}-`)),
        )
        expect(ofTopic, title).toEqual(expected)
      }
    },
    120_000,
  )

  test('all codecs were spoken', () => {
    expect(new Set(written.map(({ codec }) => codec))).toEqual(new Set(codecs))
  })

  for (const { name, missing } of absent)
    describe.skipIf(true)(`${name}: ${missing}`, () => test('is here', () => expect(missing).toBeNull()))
})
