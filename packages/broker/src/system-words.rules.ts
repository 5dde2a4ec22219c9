// What the operating system's error codes mean for whoever starts a broker. Pure.

const words: { readonly [code: string]: string } = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no such kind of address',
  ENOTFOUND: 'the name is not known',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EMFILE: 'too many open files',
  EEXIST: 'it is not a directory',
  ENOTDIR: 'a part of the path is not a directory',
}

/** `another program listens there (EADDRINUSE)`; what is not known here as the system says it. */
export function systemWords(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  // What crossed a port has the code in its text only.
  const known = words[code] ? code : Object.keys(words).find(each => new RegExp(`\\b${each}\\b`).test(error.message))
  return known === undefined ? error.message : `${words[known]} (${known})`
}
