// Machines, drawn: what the graph says, and that list, files and READMEs agree.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { documentedReadmes } from './documented-machines.ts'
import { mermaidOf, tablesOf } from './machine-drawing.rules.ts'
import { graphOf } from './machine-graph.rules.ts'
import { machines } from './machines.ts'
import { withSection } from './readme-sections.rules.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

async function graph(name: string) {
  return graphOf((await machines.find(machine => machine.name === name)!.load()).root)
}

test('every machine file of the house is in the list, and nothing else', () => {
  const homes = ['tools', ...readdirSync(join(root, 'packages')).map(name => `packages/${name}`)]
  const files = homes
    .filter(home => existsSync(join(root, home, 'src')))
    .flatMap(home =>
      readdirSync(join(root, home, 'src'), { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('.machine.ts'))
        .map(file => `${home}/${file.slice(0, -'.machine.ts'.length)}`),
    )
  expect(machines.map(({ home, file }) => `${home}/${file}`).sort()).toEqual(files.sort())
  expect(new Set(machines.map(({ name }) => name)).size).toBe(machines.length)
})

test('the README section of every machine is current', async () => {
  const old = (await documentedReadmes(root)).filter(({ text, current }) => text !== current)
  expect(
    old.map(({ path }) => path),
    'run `pnpm machine-docs`',
  ).toEqual([])
})

test('a graph has every state, guard and effect, and no context change', async () => {
  const { states, edges } = await graph('supervisor')
  expect(states.map(({ path }) => path)).toEqual(['Starting', 'Running', 'BackingOff', 'Closing', 'Closed', 'Failed'])
  expect(states[0]).toMatchObject({ isInitial: true, entry: ['startActor'] })
  expect(edges).toContainEqual({ from: '', event: '*', guard: null, to: null, effects: ['refuse'] })
  expect(edges).toContainEqual({
    from: 'Starting',
    event: 'actor.notStarted',
    guard: 'isFirst',
    to: 'Failed',
    effects: [],
  })
})

test('nested states keep their path', async () => {
  const leader = await graph('partition-leader')
  expect(leader.states).toContainEqual(
    expect.objectContaining({ path: 'Leading.Writable', parent: 'Leading', isInitial: true }),
  )
  const drawing = mermaidOf(leader)
  expect(drawing).toContain('  state Leading {\n')
  expect(drawing).toContain('  Leading_Writable --> Leading_Failing: append.failed')
  expect(tablesOf(leader)).toContain('| Leading.Writable | `append.failed` | | Leading.Failing | reportFailure |')
})

test('edges with the same ends share one arrow', async () => {
  const lines = mermaidOf(await graph('supervisor')).split('\n')
  expect(lines.filter(line => line.startsWith('  Starting --> Failed:'))).toEqual([
    '  Starting --> Failed: actor.notStarted [isFirst] | actor.notStarted [givesUp]',
  ])
})

test('a section is replaced between its marks and added where it is missing', () => {
  const added = withSection('# Title\n', 'm', 'one')
  expect(added).toBe('# Title\n\n### Machine: m\n\n<!-- machine:m -->\none\n<!-- /machine:m -->\n')
  expect(withSection(`${added}after\n`, 'm', 'two')).toBe(
    '# Title\n\n### Machine: m\n\n<!-- machine:m -->\ntwo\n<!-- /machine:m -->\nafter\n',
  )
})
