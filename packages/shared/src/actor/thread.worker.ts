// The worker entry: every thread of a system runs this file, unless the product names a packed one (thread-entry.ts).
import { runThread } from './thread-main.ts'

runThread()
