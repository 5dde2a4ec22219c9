// Milliseconds since 1970 with fractions, comparable between the threads of one process.

/** Never goes back within a thread. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now()
}
