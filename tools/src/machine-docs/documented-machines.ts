// What the README of a package must say of its machines: read, rendered, compared.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mermaidOf, tablesOf } from './machine-drawing.rules.ts'
import { graphOf } from './machine-graph.rules.ts'
import { machines, type NamedMachine } from './machines.ts'
import { withSection } from './readme-sections.rules.ts'

export interface DocumentedReadme {
  readonly path: string
  readonly text: string
  /** With the sections of all its machines as they are now. */
  readonly current: string
}

/** One per package that has machines; a README that does not exist yet has an empty text. */
export async function documentedReadmes(root: string): Promise<DocumentedReadme[]> {
  const homes = [...new Set(machines.map(({ home }) => home))]
  return Promise.all(homes.map(home => documentedReadme(root, home)))
}

async function documentedReadme(root: string, home: string): Promise<DocumentedReadme> {
  const path = join(root, home, 'README.md')
  const text = readIfThere(path)
  let current = text
  for (const machine of machines.filter(each => each.home === home)) {
    current = withSection(current, machine.name, await sectionOf(machine))
  }
  return { path, text, current }
}

async function sectionOf({ file, load }: NamedMachine): Promise<string> {
  const graph = graphOf((await load()).root)
  return `From \`src/${file}.machine.ts\`, by \`pnpm machine-docs\`.\n\n\`\`\`mermaid\n${mermaidOf(graph)}\n\`\`\`\n\n${tablesOf(graph)}`
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
