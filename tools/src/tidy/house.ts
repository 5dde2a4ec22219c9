// The house's laws as data (DESIGN 2, 3): which room may import which, what a kind of file promises, and how large things may be.
// Read by every check of tidy; change the law here, not the check.

/** What may import what, from low to high: a layer imports itself and those before it. */
export const sharedLayers = ['base', 'protocol', 'records', 'configs', 'actor', 'contracts', 'client'] as const

/** Packages that a package may import, besides itself. */
export const packageDirections: { readonly [name: string]: readonly string[] } = {
  shared: [],
  coordinator: ['shared'],
  broker: ['shared', 'coordinator'],
  producer: ['shared'],
  consumer: ['shared'],
  tools: ['shared', 'coordinator', 'broker', 'producer', 'consumer'],
}

/** Where the platform's clock, timers and chance may be touched. */
export const platformTimeRooms = ['packages/shared/src/base/', 'packages/shared/src/actor/', 'tools/src/']

/** Where code may run on a thread of ours. */
export const threadRooms = [/^packages\//, /\.worker\.ts$/]

/** Tables of `import()`s, which are given to `loading` where one of them is run. */
export const loaderTables = ['packages/shared/src/protocol/api-table.ts', 'tools/src/pack/packed-thread.worker.ts']

/** Lines, from which a file or a function outside of tests says too much at once. */
export const sizes = { fileLinesMax: 500, functionLinesMax: 70 }

/** What may stand between a file's noun and `.ts`: a closed vocabulary (DESIGN 3). */
export const kinds = ['machine', 'rules', 'contract', 'actor', 'records', 'suite', 'test', 'bench', 'worker'] as const

/** Names that say nothing (DESIGN 3). */
export const forbiddenNouns = ['utils', 'util', 'helpers', 'helper', 'types', 'manager', 'misc', 'common']

/** A library that only some rooms may touch. */
export const libraryRooms: { readonly [library: string]: readonly RegExp[] } = {
  lmdb: [
    /^packages\/broker\/src\/log\/lmdb-[a-z-]+\.ts$/,
    /^tools\/src\/bench\/bare-[a-z-]+\.worker\.ts$/,
    /^packages\/shared\/src\/actor\/suite\/lmdb-numbers\.ts$/,
  ],
  xstate: [/\.machine\.ts$/, /^packages\/shared\/src\/actor\/machine-[a-z-]+\.ts$/],
  piscina: [/^packages\/[a-z]+\/src\/([a-z]+\/)*[a-z-]*pool\.ts$/, /^tools\/src\//],
}

/** Programs and doors: what is reachable from here is alive. Actors and workers are reached by URL. */
export const roots = [
  /^packages\/[a-z]+\/src\/index\.ts$/,
  /^tools\/src\/index\.ts$/,
  /^tools\/src\/([a-z-]+\/)*main\.ts$/,
  /^tools\/src\/cli\/odradek\.cts$/,
  /\.(test|bench)\.ts$/,
  /\.(actor|worker)\.ts$/,
  /^vitest\.config\.ts$/,
]
