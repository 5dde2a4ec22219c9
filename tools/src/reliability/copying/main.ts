// The victim of the kill -9 loops of exactly once: feeds the topic `in` and copies it to `out` by two pipelines, over the broker at an address, or over one of its
// own in a directory. A line on stdout per fifty records copied tells how far it is. Never ends by itself.
import { createBroker } from '@odradek/broker/create-broker'
import { copiedTopics, copyingConfigs, Feeder, startCopying } from '../copying-pipelines.ts'

const [where, place, name] = process.argv.slice(2) as ['address' | 'directory', string, string]
const bootstrapServers =
  where === 'address'
    ? place
    : await createBroker({ dir: place, listen: false, threads: 3, topics: copiedTopics, config: copyingConfigs })
const feeder = new Feeder(bootstrapServers, name)
let copied = 0
const pipelines = startCopying(bootstrapServers, () => {
  feeder.copied()
  if (++copied % 50 === 0) process.stdout.write(`${copied}\n`)
})
await Promise.race([feeder.work(), ...pipelines.map(({ done }) => done)])
throw new Error('a pipeline ended by itself')
