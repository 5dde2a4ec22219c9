// A disk that is full: the partition says so, nothing acknowledged is lost, and it goes on when there is room again, without a repair.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ChildProgram } from './child-program.ts'
import { damages } from './reading-back.ts'

/** A place that holds little, until it is told to hold more. */
interface SmallPlace {
  readonly dir: string
  readonly wrapper: readonly string[]
  /** Writes that are tried while it is full. A limit of the process cannot be seen coming: there, LMDB's library may end it (decision 0046). */
  readonly tries: number
  grow(child: ChildProgram): void
  remove(): void
}

/** A file system of a few megabytes; needs root. */
function smallDisk(): SmallPlace {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'odradek', dir])
  return {
    dir,
    wrapper: [],
    tries: 300,
    grow: () => void execFileSync('mount', ['-o', 'remount,size=64m', dir]),
    remove() {
      execFileSync('umount', [dir])
      rmSync(dir, { recursive: true })
    },
  }
}

/** No file may grow beyond a few megabytes (`ulimit -f`); every user may do that to a process of theirs. */
function smallFiles(): SmallPlace {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-limit-'))
  return {
    dir,
    // Ignored, the signal becomes EFBIG; the limit is the soft one, so that it can be raised again.
    wrapper: ['sh', '-c', 'trap "" XFSZ; ulimit -S -f 8192; exec "$@"', 'sh'],
    tries: 0,
    grow: child => void execFileSync('prlimit', ['--pid', String(child.process.pid), '--fsize=67108864:']),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function mayMount(): boolean {
  try {
    smallDisk().remove()
    return true
  } catch {
    return false
  }
}

function mayRaiseLimits(): boolean {
  return ['/usr/bin/prlimit', '/bin/prlimit'].some(path => existsSync(path))
}

const places: readonly [string, boolean, () => SmallPlace][] = [
  ['a full disk', mayMount(), smallDisk],
  ['a limit on file sizes', mayRaiseLimits(), smallFiles],
]

describe.each(places)('%s', (_, isPossible, open) => {
  test.runIf(isPossible)(
    'is told as a storage error, loses nothing, and is over when there is room',
    { timeout: 300_000 },
    async () => {
      const place = open()
      const child = new ChildProgram('full-disk', [place.dir, String(place.tries)], place.wrapper)
      try {
        const event = async () => JSON.parse((await child.line()) ?? JSON.stringify(await child.ended()))
        const full = await event()
        expect(full).toMatchObject({ event: 'full', kafkaName: 'KAFKA_STORAGE_ERROR' })
        expect(full.written).toBeGreaterThan(20)
        expect(full.refusals).toBeGreaterThan(place.tries / 2)
        place.grow(child)
        child.tell('there is room')
        expect(await event()).toEqual({ event: 'freed', error: null })
        expect(await event()).toMatchObject({ event: 'read', lost: [] })
        expect(await event()).toEqual({ event: 'closed' })
        expect(await child.ended()).toMatchObject({ exitCode: 0, signal: null })
        expect(damages(place.dir)).toEqual([])
      } finally {
        child.kill()
        await child.ended()
        place.remove()
      }
    },
  )
})
