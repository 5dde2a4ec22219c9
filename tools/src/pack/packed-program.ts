// The `odradek` program as it is packed. A broker's first thread is started before the command is loaded: one core loads the command, the other the thread.
import { useThreadEntry } from '@odradek/shared/actor/thread-entry'
import { startThreadAhead } from '@odradek/shared/actor/thread-pool'
import { packedThreadEntry } from './packed-threads.ts'

/** What a broker starts with, in the order in which it needs it. */
const broker = ['broker.actor.js', 'partition-leader.actor.js', 'cluster.actor.js', 'listener.actor.js']

const [command, ...flags] = process.argv.slice(2)
useThreadEntry(packedThreadEntry)
if (command === 'serve') startThreadAhead(flags.includes('--memory') ? broker : [...broker, 'lmdb'])
void import('../cli/program.ts').then(({ runProgram }) => runProgram())
