/**
 * Loaded before every script of package.json (`node --import`), in JavaScript that an old Node can read: an old Node cannot
 * run the TypeScript behind it, and would only say that it does not know the file extension.
 */
const majorMin = 24

if (Number.parseInt(process.versions.node, 10) < majorMin) {
  console.error(
    `This is Node ${process.versions.node}; Turnpike needs Node ${majorMin} or newer. "npm ci" installs one inside the project, ` +
      'and "npm run" then uses it. If it did not, run "npm ci" again and look for an error of the package "node".',
  )
  if (process.env.npm_lifecycle_event === 'test') console.log('0 passed, 1 failed')
  process.exit(1)
}
