// The broker that rows and probes measure: with the threads that `--threads` asks for (`main.ts` tells the processes of its rows by their environment), and
// with the packed code that users of `odradek` run.
import { type Broker, type BrokerOptions, createBroker } from '../index.ts'

/** Name of the environment variable that carries `--threads` to rows and to the probes that they start. */
export const THREADS_VARIABLE = 'ODRADEK_BENCH_THREADS'

/** As `createBroker`; `threads` of the options goes before `--threads`. */
export function benchBroker(options: BrokerOptions): Promise<Broker> {
  const asked = process.env[THREADS_VARIABLE]
  return createBroker({ ...(asked === undefined ? {} : { threads: Number(asked) }), ...options })
}
