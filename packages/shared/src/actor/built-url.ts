// Worker threads and lazily loaded modules run JavaScript; a URL written beside a source file must point to the built file.

/**
 * Maps `.../src/x.ts` to `.../dist/x.js`, and `.../dist/x.ts` (what a literal in a built file says) to `.../dist/x.js`. The nearest
 * `src` or `dist` folder above the file decides; folders further up are the user's.
 */
export function builtUrl(href: string): string {
  const inSources = href.lastIndexOf('/src/')
  const mapped =
    inSources > href.lastIndexOf('/dist/') ? `${href.slice(0, inSources)}/dist/${href.slice(inSources + 5)}` : href
  return mapped.replace(/\.ts$/, '.js')
}
