// What of the comparison is asked for: `start`, `100`, `1024`, `latency`, `attack`, or one client of a section, `1024:librdkafka`. Pure.

export interface Sections {
  /** Whether anything of the section is asked for, or this client of it. */
  has(section: string, client?: string): boolean
}

/** Those that one pair of servers is driven for. */
export const drivenSections = ['100', '1024', 'latency', 'attack'] as const
const sectionNames = ['start', ...drivenSections] as const

/** All of them when none is named. Throws for a section that there is not. */
export function sectionsOf(asked: readonly string[]): Sections {
  const pairs = asked.map(name => name.split(':') as [string, string?])
  for (const [section] of pairs)
    if (!(sectionNames as readonly string[]).includes(section))
      throw new Error(`there is no section '${section}': ${sectionNames.join(', ')}`)
  return {
    has: (section, client) =>
      pairs.length === 0 ||
      pairs.some(([named, of]) => named === section && (of === undefined || client === undefined || of === client)),
  }
}
