// One thread of a pipeline that is a module: its own consumer and producer, the module's topics and function.
import type { HandlerFailureChoice } from '@odradek/consumer/handler-failure-choice'
import { KafkaError } from '@odradek/shared/base/errors'
import { loadedModule, type ModuleThread, type ModuleWork, serveModule } from '@odradek/shared/client/module-thread'
import { type LaneSettings, openLane, type PipelineWork } from './open-lane.ts'

/** What a thread is started with. */
export interface PipelineInput extends Omit<LaneSettings, 'cluster'> {
  readonly module: string
  readonly onError: HandlerFailureChoice
}

await serveModule<PipelineInput>(run)

async function run({ input, broker, signal }: ModuleThread<PipelineInput>): Promise<ModuleWork> {
  const { module, onError, ...settings } = input
  const { from, to, transform, ...rest }: Partial<PipelineWork> = await loadedModule(module)
  if (from === undefined || to === undefined || typeof transform !== 'function') {
    throw new KafkaError('ODK_HANDLER_INVALID', `${module} is no pipeline: it must export from, to and transform`)
  }
  const work = { from, to, transform, onError: rest.onError ?? onError }
  const lane = openLane(work, { ...settings, cluster: { bootstrapServers: broker } })
  signal.addEventListener('abort', () => lane.stop(), { once: true })
  if (signal.aborted) lane.stop()
  return { done: lane.run(), metrics: () => lane.metrics() }
}
