/** Writes docs/operating/configuration.md from the table of keys: `node tools/generate-configuration-doc.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import prettier from 'prettier'
import { configKeys } from '../src/base/config.ts'
import { formatMinor } from '../src/base/money.ts'
import { projectFolder } from './source-tree.ts'

export const configurationDocument = join(projectFolder, 'docs/operating/configuration.md')

const opening = `# Configuration

Made from \`src/base/config.ts\` by \`node tools/generate-configuration-doc.ts\`; change it there.

Each key is set in a JSON file (\`turnpike.json\` in the working folder, or the file \`TURNPIKE_CONFIG\` names) or by its
environment variable. A flag of the command line wins over the environment, the environment over the file. A key or a
\`TURNPIKE_\` variable that is not in this table is refused by name, and so is a value that does not fit; an empty variable
counts as not set. \`turnpike config\` prints this table with the values in force.

Keys marked *secret* hold credentials: they never appear in a log, and \`turnpike config\` does not print them.
Amounts are decimals in USD.
`

/** The document as it should be, formatted like every other file. */
export async function configurationText(): Promise<string> {
  const rows = Object.entries(configKeys).map(([key, { variable, about, schema, ...rest }]) => {
    const secret = 'secret' in rest ? ' *secret*' : ''
    return `| \`${key}\`${secret} | \`${variable}\` | ${defaultText(schema.safeParse(undefined).data)} | ${about.replace(/ \(spec §\d+\)/g, '')} |`
  })
  const table = ['| key | variable | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
  const options = await prettier.resolveConfig(configurationDocument)
  return await prettier.format(`${opening}\n${table}\n`, { ...options, parser: 'markdown' })
}

function defaultText(value: string | number | boolean | bigint | Date | readonly number[] | undefined): string {
  if (value === undefined) return '–'
  if (typeof value === 'bigint') return `\`${formatMinor(value, 'USD')}\``
  if (value instanceof Date) return `\`${value.toISOString()}\``
  return `\`${typeof value === 'object' ? value.join(',') : value}\``
}

if (import.meta.main) {
  const text = await configurationText()
  const current = readFileSync(configurationDocument, { encoding: 'utf8', flag: 'a+' }) === text
  if (!current) writeFileSync(configurationDocument, text)
  console.log(`${configurationDocument} ${current ? 'is current' : 'written'}`)
}
