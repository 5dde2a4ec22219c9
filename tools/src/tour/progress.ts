// How far a stage is: a bar on a terminal, one line per stage elsewhere.
import type { Terminal } from '../cli/terminal/terminal.ts'

export interface Progress {
  update(done: number): void
  /** Ends the stage with one line. */
  done(line: string): void
  /** Ends the stage without a word: something else will be said. */
  stop(): void
}

/** `total` null: not known; then only the count is shown. */
export async function startProgress(terminal: Terminal, what: string, total: number | null): Promise<Progress> {
  if (!terminal.isInteractive) return { update() {}, done: line => terminal.note(`${what}: ${line}`), stop() {} }
  const { default: cliProgress } = await import('cli-progress')
  const format =
    total === null
      ? `${what}  {value} records`
      : `${what}  {bar} {percentage}%  {value}/{total} records  {eta_formatted}`
  const bar = new cliProgress.SingleBar({
    format,
    clearOnComplete: true,
    hideCursor: true,
    fps: 10,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
  })
  bar.start(total ?? 0, 0)
  const stop = () => bar.stop()
  return {
    update: done => bar.update(done),
    done(line) {
      stop()
      terminal.note(`${what}: ${line}`)
    },
    stop,
  }
}
