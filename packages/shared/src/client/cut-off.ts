// An actor that serves one caller, such as a sender or a consumer's thread, and the link between the two. Ports lose nothing while both
// threads live; should the link end all the same, the actor is ended too, and its supervisor starts one that is linked to anew: one way
// back for whatever went wrong.

import type { Link, Spawned } from '../actor/actor.ts'
import type { Contract } from '../actor/contract.ts'
import type { LinkHost } from './cluster-link.ts'

/** Ends the actor when its link has ended and, after a while, still no successor was linked to. */
export function endWhenCutOff<C extends Contract>(
  { clock, limits }: Pick<LinkHost, 'clock' | 'limits'>,
  spawned: Spawned<C>,
  link: Link<C>,
  isCurrent: () => boolean,
): void {
  void link.closed.then(() => {
    if (!isCurrent()) return
    clock.after(limits.cutOffMs, () => {
      if (isCurrent()) void spawned.kill('its caller lost the link to it')
    })
  })
}
