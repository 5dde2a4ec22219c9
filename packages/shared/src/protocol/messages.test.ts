// Every request and response of the API table, through the codec suite; and what the table and the schemas must agree on.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { apiTable } from './api-table.ts'
import { codecSuite } from './codec.suite.ts'
import { codecOf } from './codec.ts'
import { requestHeader, responseHeader } from './frame.ts'
import { type Field, type Fields, type Message, parseVersions } from './schema.ts'

const known = apiTable.filter(api => api.known)
const loaded = await Promise.all(known.map(async api => ({ api, ...(await api.load()) })))
const messages: Message<any>[] = loaded.flatMap(({ request, response }) => [request, response])

codecSuite('requests and responses', messages)
codecSuite('headers', [requestHeader, responseHeader])

describe('the API table', () => {
  test('keys ascend and do not repeat', () => {
    const keys = apiTable.map(api => api.key)
    expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b))
  })

  test('a request and its response have the versions and the key that the table says', () => {
    for (const { api, request, response } of loaded) {
      for (const message of [request, response]) {
        const { low, high } = parseVersions(message.versions)
        expect([message.name, message.apiKey, low]).toEqual([message.name, api.key, api.versionMin])
        expect(high).toBe(api.versionMax)
        for (let version = low; version <= high; version++) {
          expect([message.name, version, codecOf(message, version).flexible]).toEqual([
            message.name,
            version,
            version >= api.flexibleFrom,
          ])
        }
      }
      expect([request.name, response.name]).toEqual([`${api.name}Request`, `${api.name}Response`])
    }
  })

  test('the newest version is advertised, except InitProducerId v6, which Kafka 4.3 calls unstable', () => {
    const unstable = apiTable.filter(api => api.versionStableMax !== api.versionMax)
    expect(unstable.map(api => [api.name, api.versionStableMax, api.versionMax])).toEqual([['InitProducerId', 5, 6]])
  })

  test('every message file is in the table, under its number', () => {
    const files = readdirSync(new URL('./messages/', import.meta.url)).filter(file =>
      /^\d\d-[a-z-]+\.(ts|js)$/.test(file),
    )
    expect(files.map(file => Number(file.slice(0, 2))).sort((a, b) => a - b)).toEqual(known.map(api => api.key))
  })

  test('an API without schemas can be named but not loaded', async () => {
    const vote = apiTable.find(api => api.name === 'Vote')!
    expect(vote.known).toBe(false)
    await expect(vote.load()).rejects.toThrow('there are no schemas for Vote (API key 52)')
  })
})

describe('schemas', () => {
  const eachField = (fields: Fields, visit: (field: Field<any>, name: string) => void): void => {
    for (const [name, field] of Object.entries(fields)) {
      visit(field, name)
      if (typeof field.element !== 'string') eachField(field.element, visit)
    }
  }

  test('tags of a struct do not repeat and lie in flexible versions only', () => {
    const check = (message: Message<any>, fields: Fields) => {
      const tags = Object.values(fields).flatMap(field => (field.tag === undefined ? [] : [field.tag]))
      expect(new Set(tags).size).toBe(tags.length)
      for (const field of Object.values(fields)) {
        if (field.tag !== undefined) {
          const tagged = parseVersions(field.tagged ?? field.versions)
          expect(tagged.low).toBeGreaterThanOrEqual(parseVersions(message.flexible).low)
        }
        if (typeof field.element !== 'string') check(message, field.element)
      }
    }
    for (const message of messages) check(message, message.fields)
  })

  test('a field whose default is null may be null in all its versions', () => {
    for (const message of messages) {
      eachField(message.fields, (field, name) => {
        if (field.default !== null) return
        expect([message.name, name, parseVersions(field.nullable).low]).toEqual([
          message.name,
          name,
          expect.any(Number),
        ])
        expect(field.nullable).toBeDefined()
      })
    }
  })
})
