// What of an environment servers that are compared are started with.

/** Node reads the file of NODE_EXTRA_CA_CERTS in every process that starts, whether it opens a connection or not: 140 certificates took 54 ms of 87. */
const ofRuntimes = /^(NODE_\w+|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS)$/

/** `environment` without what asks Node or a Java virtual machine for more than their command line does. */
export function plainEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ofRuntimes.test(name)))
}
