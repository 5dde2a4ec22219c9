// Numbers as people read them. Pure.

/** Rounded, with commas between thousands. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
