// The `odradek` program as it is packed. A broker's first thread is started before the command is loaded: one core loads the command, the other the thread.
import { useThreadEntry } from '@odradek/shared/actor/thread-entry'
import { startThreadAhead } from '@odradek/shared/actor/thread-pool'
import { packedThreadEntry } from './packed-threads.ts'

useThreadEntry(packedThreadEntry)
if (process.argv[2] === 'serve') startThreadAhead()
void import('../cli/program.ts').then(({ runProgram }) => runProgram())
