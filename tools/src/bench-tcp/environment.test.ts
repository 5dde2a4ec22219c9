import { expect, test } from 'vitest'
import { plainEnvironment } from './environment.rules.ts'

test('what is asked of Node and of Java by their environment is left out, for both servers alike', () => {
  const own = {
    PATH: '/bin',
    HOME: '/root',
    ODRADEK_KAFKA_JARS: '/jars',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    NODES: '3',
    JAVA_HOME: '/java',
  }
  const asked = {
    NODE_EXTRA_CA_CERTS: '/certificates',
    NODE_OPTIONS: '--require x',
    JAVA_TOOL_OPTIONS: '-Dx=y',
    JDK_JAVA_OPTIONS: '-Dx=y',
    _JAVA_OPTIONS: '-Dx=y',
  }
  expect(plainEnvironment({ ...own, ...asked })).toEqual(own)
})
