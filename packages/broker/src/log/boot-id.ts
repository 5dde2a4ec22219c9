// Whether the machine has been running since something was written: what the process left in the page cache is then still there.
import { readFileSync } from 'node:fs'

let known: string | undefined

/** 32 hex digits that change with every start of the system; empty where the platform does not say. */
export function bootId(): string {
  known ??= readBootId()
  return known
}

function readBootId(): string {
  try {
    const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')
    return /^[0-9a-f]{32}$/.test(text) ? text : ''
  } catch {
    return ''
  }
}
