// "Did you mean": the nearest of the known names, for options, configs and command-line flags.

/** The known name that was most likely meant, or undefined when none is near. Case, dots, dashes and underscores do not count. */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  const wanted = plain(given)
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const name of known) {
    const candidate = plain(name)
    const distance = near(wanted, candidate) ? 1 : editDistance(wanted, candidate, bestDistance)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

function plain(name: string): string {
  return name.replace(/[._-]/g, '').toLowerCase()
}

/** A forgotten unit or a cut word (`linger` for `lingerMs`) counts as one slip. */
function near(wanted: string, candidate: string): boolean {
  return wanted.length >= 5 && candidate.length - wanted.length <= 5 && candidate.startsWith(wanted)
}

/** Damerau-Levenshtein distance (adjacent swaps count one), given up at `bound`. */
function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound
  let twoAgo: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + same)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, twoAgo[column - 2]! + 1)
      }
      current.push(cost)
    }
    twoAgo = previous
    previous = current
  }
  return previous[b.length]!
}
