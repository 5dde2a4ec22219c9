// `pnpm soak [kills] [seed]`: the kill storm for long, with a line per hundred kills. Exit code 3 when a promise was broken.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countFlag } from '../../bench/bench-flags.rules.ts'
import { killStorm } from '../kill-storm.ts'
import { damages } from '../reading-back.ts'

const kills = countFlag('kills', process.argv[2] ?? '2000')
const seed = countFlag('seed', process.argv[3] ?? '1', 0)
const dir = mkdtempSync(join(tmpdir(), 'odradek-soak-'))
const beganAt = performance.now()
const seconds = () => ((performance.now() - beganAt) / 1_000).toFixed(0)

const outcome = await killStorm({
  dir,
  kills,
  seed,
  progress: killed => {
    if (killed % 100 !== 0) return
    const mb = (process.memoryUsage().rss / 1_048_576).toFixed(0)
    process.stderr.write(`${killed} kills survived after ${seconds()} s, ${mb} MB\n`)
  },
})
const damaged = damages(dir)
rmSync(dir, { recursive: true, force: true })
const { findings, disorder, unhandled } = outcome
// Timers of the last kills run out by themselves; threads and ports do not.
const left = process.getActiveResourcesInfo().filter(name => /MessagePort|Worker/.test(name))
process.stdout.write(`${JSON.stringify({ ...outcome, damaged, left, seconds: Number(seconds()) }, null, 2)}\n`)
if (findings.length + disorder.length + unhandled.length + damaged.length + left.length > 0) process.exitCode = 3
