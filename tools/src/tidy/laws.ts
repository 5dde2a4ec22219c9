// All laws of the house, applied to one checkout.
import type { Checkout } from './checkout.ts'
import { deadExportFindings, deadFileFindings } from './dead.rules.ts'
import type { Finding } from './finding.ts'
import { cycleFindings, directionFindings, libraryFindings, suffixFindings } from './imports.rules.ts'
import {
  loadingFindings,
  nameFindings,
  platformTimeFindings,
  ratchetFindings,
  sizeFindings,
  unfinishedFindings,
} from './shape.rules.ts'

/** Every finding of every law; empty when the house is tidy. */
export function applyLaws({ files, ratchet }: Checkout): readonly Finding[] {
  const parse = files.flatMap(file =>
    file.parseErrors.map(message => ({ path: file.path, line: 1, law: 'parse', message, mend: 'write TypeScript' })),
  )
  return [
    ...parse,
    ...directionFindings(files),
    ...cycleFindings(files),
    ...suffixFindings(files),
    ...libraryFindings(files),
    ...sizeFindings(files, ratchet),
    ...ratchetFindings(files, ratchet),
    ...nameFindings(files),
    ...platformTimeFindings(files),
    ...loadingFindings(files),
    ...unfinishedFindings(files),
    ...deadFileFindings(files),
    ...deadExportFindings(files),
  ]
}
