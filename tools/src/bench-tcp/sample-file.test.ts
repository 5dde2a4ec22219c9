import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ratioTable, type Sample } from './ratios.rules.ts'
import { SampleBook, samplesIn } from './sample-file.ts'

test('slices of a comparison make one table', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bench-samples-'))
  const file = join(dir, 'samples')
  const cpu = { name: 'CPU', digits: 1, atMost: 0.7 }
  const sample = (line: string, server: Sample['server'], value: number) => ({ line, figure: cpu, server, value })
  const [first, second] = [new SampleBook(file), new SampleBook(file)]
  first.note(sample('produce', 'odradek', 1))
  first.note(sample('produce', 'kafka', 2))
  second.note(sample('consume', 'odradek', 3))
  second.note(sample('consume', 'kafka', 4))
  expect(first.samples.map(({ line }) => line)).toEqual(['produce', 'produce'])
  expect(ratioTable(samplesIn(file)).slice(2)).toEqual([
    '| produce | CPU | 1.0 | 2.0 | 0.50 | <= 0.7 | met |',
    '| consume | CPU | 3.0 | 4.0 | 0.75 | <= 0.7 | missed |',
  ])
  rmSync(dir, { recursive: true })
})
