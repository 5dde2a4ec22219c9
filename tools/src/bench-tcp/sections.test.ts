import { expect, test } from 'vitest'
import { sectionsOf } from './sections.rules.ts'

test('everything is measured when nothing is named', () => {
  expect(sectionsOf([]).has('latency', 'kafkajs')).toBe(true)
})

test('a section means all its clients, a section with a client that one alone', () => {
  const sections = sectionsOf(['100', '1024:kafkajs'])
  expect(sections.has('100', 'Java')).toBe(true)
  expect(sections.has('1024')).toBe(true)
  expect(sections.has('1024', 'kafkajs')).toBe(true)
  expect(sections.has('1024', 'Java')).toBe(false)
  expect(sections.has('latency')).toBe(false)
})

test('a section that there is not is refused, and told which there are', () => {
  expect(() => sectionsOf(['latencies'])).toThrow("no section 'latencies': start, 100, 1024, latency, attack")
})
