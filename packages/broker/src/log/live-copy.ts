// The segments of a log that another process is writing, as folders that may be opened for reading. LMDB's library must not open the originals (decision 0048).
//
// Of the active segment the copy is made as power loss would be mended: a root that no commit has touched while its pages were read, over whatever the rest of the file
// is by then, which is as it was or not part of that root (lmdb-pages.ts). Sealed segments get one more commit at most, a flush, which leaves the pages of the
// commit before it alone: a link to their file is enough.
import { constants, copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeRoot } from './flushed-root.ts'
import { dataFile, readQuietRoot } from './lmdb-pages.ts'
import { segmentsIn } from './lmdb-segment-storage.ts'
import { segmentFolder } from './log-keys.records.ts'

/** Makes folders in `into` for the segments of the log in `dir`. The active one is copied as of its last commit; `into` needs room for it. */
export function copyLive(dir: string, into: string): void {
  const names = segmentsIn(dir).map(segmentFolder)
  for (const name of names) {
    const [from, to] = [join(dir, name), join(into, name)]
    mkdirSync(to, { recursive: true })
    // What is not there is missed by who opens the folder.
    if (!existsSync(dataFile(from))) continue
    if (name === names.at(-1) || process.platform === 'win32') copyWritten(dataFile(from), dataFile(to))
    else symlinkSync(resolve(dataFile(from)), dataFile(to))
  }
}

function copyWritten(from: string, to: string): void {
  const root = readQuietRoot(from)
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
  writeRoot(to, root)
}
