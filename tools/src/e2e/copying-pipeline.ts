// A pipeline as a module, for the suite of pipelines: copies. The names of its topics come with the environment of the test's process.

import { getEnvironmentData } from 'node:worker_threads'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'

const { input, output } = getEnvironmentData('copying-pipeline') as unknown as { input: string; output: string }
export const from = topic(input, { key: string(), value: string() })
export const to = topic(output, { key: string(), value: string() })
export const transform = ({ key, value }: { key: string | null; value: string | null }) => ({ key, value })
