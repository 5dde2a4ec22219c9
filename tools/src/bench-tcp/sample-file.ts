// Samples of several runs in one file, a JSON line each: a whole comparison takes longer than a machine stays quiet, so it can be taken in slices and told at once.
import { appendFileSync, readFileSync } from 'node:fs'
import type { Sample } from './ratios.rules.ts'

/** The samples of this run; each goes into the file as well, if there is one. */
export class SampleBook {
  readonly samples: Sample[] = []
  readonly #file: string | undefined

  constructor(file: string | undefined) {
    this.#file = file
  }

  note(sample: Sample): void {
    this.samples.push(sample)
    if (this.#file !== undefined) addSample(this.#file, sample)
  }
}

/** Adds a sample to the file, which begins to exist with the first: a run that is cut off leaves what it measured. */
function addSample(file: string, sample: Sample): void {
  appendFileSync(file, `${JSON.stringify(sample)}\n`)
}

/** All samples of all runs, in the order in which they were taken. */
export function samplesIn(file: string): readonly Sample[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Sample)
}
