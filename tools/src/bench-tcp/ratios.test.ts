import { expect, test } from 'vitest'
import { ratioTable } from './ratios.rules.ts'

test('a row compares medians, and says whether the ratio is as it should be', () => {
  const cpu = { name: 'CPU', digits: 1, atMost: 0.7 }
  const speed = { name: 'records/s', digits: 0, atLeast: 1 }
  const sample = (figure: typeof cpu | typeof speed, server: 'odradek' | 'kafka', value: number) => ({
    line: 'produce',
    figure,
    server,
    value,
  })
  expect(
    ratioTable([
      sample(cpu, 'odradek', 1),
      sample(speed, 'odradek', 50),
      sample(cpu, 'kafka', 2),
      sample(speed, 'kafka', 100),
      sample(cpu, 'odradek', 99),
      sample(cpu, 'odradek', 1.4),
    ]).slice(2),
  ).toEqual([
    '| produce | CPU | 1.4 | 2.0 | 0.70 | <= 0.7 | met |',
    '| produce | records/s | 50 | 100 | 0.50 | >= 1 | missed |',
  ])
})

test('what was measured of one server alone is no row', () => {
  const cpu = { name: 'CPU', digits: 1 }
  expect(ratioTable([{ line: 'produce', figure: cpu, server: 'odradek', value: 1 }])).toHaveLength(2)
})
