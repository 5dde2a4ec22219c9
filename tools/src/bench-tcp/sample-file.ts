// Samples of several runs in one file, a JSON line each: a whole comparison takes longer than a machine stays quiet, so it can be taken in slices and told at once.
import { appendFileSync, readFileSync } from 'node:fs'
import type { Sample } from './ratios.rules.ts'

/** Adds samples to the file, which begins to exist with the first. */
export function addSamples(file: string, samples: readonly Sample[]): void {
  appendFileSync(file, samples.map(sample => `${JSON.stringify(sample)}\n`).join(''))
}

/** All samples of all runs, in the order in which they were taken. */
export function samplesIn(file: string): readonly Sample[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Sample)
}
