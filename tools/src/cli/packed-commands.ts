// The commands whose code is packed (tools/src/pack): those that a person waits for, and that ask for no file beside their own code.

export const packedCommands: ReadonlySet<string> = new Set([
  'serve',
  'topic',
  'group',
  'txn',
  'config',
  'cluster',
  'actor',
])
