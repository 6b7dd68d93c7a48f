/** The rules of the house, so that nobody has to remember them. Each failure names file and line. */
import { existsSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rankOf, rooms } from './ranks.ts'
import {
  findLines,
  isHandWritten,
  isTest,
  projectFolder,
  relativeImports,
  roomOf,
  roomsOfKind,
  sourceFiles,
} from './source-tree.ts'

const files = sourceFiles().filter(({ path }) => isHandWritten(path))
const modules = files.filter(({ path }) => /\.(ts|tsx|js)$/.test(path))
const shipped = modules.filter(({ path }) => path.startsWith('src/') && !isTest(path))
const documents = files.filter(({ path }) => path.endsWith('.md'))
const migrations = files.filter(({ path }) => path.startsWith('migrations/'))
const domains = roomsOfKind('domain')
const inDomain = shipped.filter(({ path }) => domains.has(roomOf(path) ?? ''))

test('the rules look at the whole project', () => {
  expect(shipped.length).toBeGreaterThan(100)
  expect(shipped.flatMap(relativeImports).length).toBeGreaterThan(300)
  expect(documents.length).toBeGreaterThan(20)
  expect(migrations.length).toBeGreaterThan(10)
})

describe('rooms', () => {
  test('everything under src is in the list of rooms, and every room of the list exists', () => {
    const found = new Set(shipped.map(({ path }) => roomOf(path) ?? path))
    expect([...found].filter((room) => rankOf(room) === -1)).toEqual([])
    expect(rooms.map(({ name }) => name).filter((room) => !found.has(room))).toEqual([])
  })

  test('ARCHITECTURE.md shows the same list', () => {
    const text = documents.find(({ path }) => path === 'ARCHITECTURE.md')?.text ?? ''
    const list = /## Rooms[^]*?```\n([^]*?)```/.exec(text)?.[1] ?? ''
    const shown = [...list.matchAll(/^([a-z][\w.]*)\s/gm)].map(([, name]) => name)
    expect(shown).toEqual(rooms.map(({ name }) => name))
  })

  test('imports point up the list of rooms', () => {
    const findings = shipped.flatMap((module) =>
      relativeImports(module).flatMap(({ line, target }) => {
        const [from, to] = [roomOf(module.path) ?? '', roomOf(target)]
        if (to === undefined) return [`${module.path}:${line} imports ${target}, which is not shipped`]
        return rankOf(to) <= rankOf(from) ? [] : [`${module.path}:${line} ${from} imports ${to}, a later room`]
      }),
    )
    expect(findings).toEqual([])
  })

  test('a domain knows no wire', () => {
    const wires = new Set(['aws', 'http', 'endpoints'])
    const findings = inDomain.flatMap((module) =>
      relativeImports(module)
        // Mails are HTML too, written by the same template.
        .filter(({ target }) => wires.has(roomOf(target) ?? '') && target !== 'src/http/markup.ts')
        .map(({ line, target }) => `${module.path}:${line} imports ${target}`),
    )
    expect(findings).toEqual([])
  })

  test('SQL stands in store.ts, and in the rooms that are about the database', () => {
    const aboutDatabase = new Set(['database', 'jobs', 'sandbox', 'proof'])
    const others = shipped.filter(
      ({ path }) => !aboutDatabase.has(roomOf(path) ?? '') && !/(^|-)store\.ts$/.test(basename(path)),
    )
    expect(findLines(others, /\bsql`|\b(?:pool|client)\.query\(/, () => 'holds SQL; it belongs into store.ts')).toEqual(
      [],
    )
  })

  test('every domain tells on one page what it owns, what it does not, its invariants, and what a retry may assume', () => {
    const findings = [...domains].flatMap((room) => {
      const path = `src/${room}/README.md`
      const readme = documents.find((document) => document.path === path)
      if (readme === undefined) return [`${path} is missing`]
      return [/\bowns\b/i, /does not own/i, /invariant|rules/i, /retry/i, /^# /m]
        .filter((word) => !word.test(readme.text))
        .map((word) => `${path}:1 says nothing that matches ${word}`)
        .concat(readme.lines.length > 100 ? [`${path}:100 is longer than one page`] : [])
    })
    expect(findings).toEqual([])
  })
})

describe('time and money', () => {
  test('a domain takes its instant from the transaction', () => {
    // People's sessions live by the real clock, whatever the billing clock says.
    const onBillingClock = inDomain.filter(({ path }) => roomOf(path) !== 'identity')
    expect(findLines(onBillingClock, /Date\.now\(\)|new Date\(\)/, (found) => `${found}: use tx.now`)).toEqual([])
  })

  test('money never becomes a JavaScript number', () => {
    const money = /minor|amount|nano|total|cost|price|revenue|fee\b|balance|charge/i
    // Stripe's wire has JSON numbers: the rooms that speak it convert, and check that they are safe integers.
    const ours = shipped.filter(({ path }) => roomOf(path) !== 'sandbox' && !basename(path).includes('stripe'))
    const conversions = findLines(ours, /\bNumber\(([^()]*)\)/, (found) => found).filter((finding) =>
      money.test(finding.slice(finding.indexOf(' '))),
    )
    expect(conversions).toEqual([])
    expect(findLines(shipped, /\bparseFloat\(/, (found) => `${found}: read it with base/money.ts`)).toEqual([])
    expect(findLines(inDomain, /\.toFixed\(/, (found) => `${found}: write it with base/money.ts`)).toEqual([])
  })

  test('no column is a float', () => {
    expect(findLines(migrations, /^\s+\w+ (real|double precision|float\d?|money)\b/, (found) => found)).toEqual([])
  })
})

describe('files', () => {
  test('a file is named by what it does', () => {
    const banned = /^(utils?|helpers?|common|shared|manager|misc|types|index|constants|lib)\b/
    expect(modules.map(({ path }) => path).filter((path) => banned.test(basename(path)))).toEqual([])
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.(ts|tsx|js)$/
    expect(modules.map(({ path }) => path).filter((path) => !kebab.test(basename(path)))).toEqual([])
  })

  test('a file is short enough to read (functions: max-lines-per-function of .oxlintrc.json)', () => {
    const linesMax = 420
    const long = modules.filter(({ lines }) => lines.length > linesMax)
    expect(long.map(({ path, lines }) => `${path}:${linesMax} has ${lines.length} lines: split it by meaning`)).toEqual(
      [],
    )
  })

  test('migrations are numbered without a gap, and each opens with why and the locks it takes', () => {
    const names = migrations.map(({ path }) => basename(path)).filter((name) => name.endsWith('.sql'))
    names.forEach((name, index) =>
      expect(name).toMatch(new RegExp(`^${String(index + 1).padStart(6, '0')}_[a-z_]+\\.sql$`)),
    )
    const silent = migrations.filter(({ text }) => !/^(--.*\n)*-- Locks: .+\n/.test(text))
    expect(silent.map(({ path }) => `${path}:1 does not open with a comment that holds "Locks:"`)).toEqual([])
  })

  test('decisions are numbered without a gap and have the four parts', () => {
    const decisions = documents.filter(({ path }) => /^docs\/decisions\/\d/.test(path))
    expect(decisions.length).toBeGreaterThan(0)
    decisions.forEach(({ path }, index) =>
      expect(basename(path)).toMatch(new RegExp(`^${String(index + 1).padStart(4, '0')}-`)),
    )
    const incomplete = decisions.flatMap(({ path, text }) =>
      ['Context', 'Decision', 'Consequences', 'Alternatives']
        .filter((part) => !text.includes(`\n## ${part}\n`))
        .map((part) => `${path}:1 has no part "${part}"`),
    )
    expect(incomplete).toEqual([])
    const list = documents.find(({ path }) => path === 'docs/decisions/README.md')?.text ?? ''
    expect(decisions.map(({ path }) => basename(path)).filter((name) => !list.includes(`](${name})`))).toEqual([])
  })
})

describe('words', () => {
  /** Words with what the house says instead, and where they are right all the same. */
  const words: { word: RegExp; instead: string; except: RegExp }[] = [
    // The processor's own word for a buyer, its report column, and the original's word where it is explained.
    {
      word: /\bcustomers?\b(?! Since)/i,
      instead: 'buyer',
      except: /^(src\/(sandbox|payments)\/|migrations\/|test\/|docs\/)/,
    },
    { word: /\b(vendors?|merchants?)\b/i, instead: 'seller', except: /^src\/sandbox\// },
    { word: /\b(purchasers?|shoppers?)\b/i, instead: 'buyer', except: /^$/ },
    { word: /\bcanceled\b/, instead: 'cancelled', except: /^test\/|^src\/(sandbox|payments)\// },
    { word: /\bwhitelist/i, instead: 'allow list', except: /^$/ },
    { word: /\bblacklist/i, instead: 'deny list', except: /^$/ },
    { word: /\butili[sz]e/i, instead: 'use', except: /^$/ },
    { word: /(\/\/|\*|--).*\bAMIs?\b/, instead: 'image', except: /^(src\/(aws|endpoints|cli)\/|test\/|docs\/)/ },
  ]
  const prose = files.filter(({ path }) => /\.(ts|sql|md)$/.test(path) && path !== 'tools/tidy.test.ts')

  test('the words are those of the field', () => {
    const findings = words.flatMap(({ word, instead, except }) =>
      findLines(
        prose.filter(({ path }) => !except.test(path)),
        word,
        (found) => `"${found}": say "${instead}"`,
      ),
    )
    expect(findings).toEqual([])
  })

  test('nothing is left for later', () => {
    const marks = /\b(TO[D]O|FIX[M]E|HAC[K])\b/
    expect(findLines(files, marks, (found) => `"${found}": do it or leave it out`)).toEqual([])
  })

  test('no path of one machine and no host of a registry', () => {
    const machine = /(^|[^A-Za-z0-9_.])\/(work|farm|root|home\/[a-z]+)\//
    const registry =
      /registry\.npmjs|npmjs\.org\/|deb\.debian|pypi\.org\/|files\.pythonhosted|repo1?\.maven|proxy\.golang/
    const text = files.filter(({ path }) => path !== 'tools/tidy.test.ts')
    expect(findLines(text, machine, (found) => `"${found}": a path of one machine`)).toEqual([])
    expect(findLines(text, registry, (found) => `"${found}": a host of a registry`)).toEqual([])
    const lockfile = sourceFiles().filter(({ path }) => path === 'package-lock.json')
    expect(lockfile).toHaveLength(1)
    expect(findLines(lockfile, /"resolved": "http/, (found) => `${found}: run npm with the project's .npmrc`)).toEqual(
      [],
    )
  })
})

test('every test runs', () => {
  const narrowed =
    /\b(it|test|describe|suite)(\.\w+)*\.(only|skip|todo|fails|skipIf|runIf)\b|\b(xit|xtest|xdescribe|fit|fdescribe)\(/
  expect(
    findLines(
      modules.filter(({ path }) => isTest(path)),
      narrowed,
      (found) => `${found}: run it or remove it`,
    ),
  ).toEqual([])
})

test('a test that drives a program of the system belongs to a group that can be left out', () => {
  const ungrouped = modules.filter(({ path }) => isTest(path) && !/\.(aws-clients|browser)\.test\.ts$/.test(path))
  const findings = findLines(
    ungrouped.filter(({ path }) => !path.startsWith('tools/')),
    /\brequireClient\(/,
    (found) => `${found}: name the file <subject>.<group>.test.ts`,
  )
  expect(findings).toEqual([])
})

test('every relative link of a document leads somewhere', () => {
  const findings = documents.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        if (/^[a-z]+:/.test(link)) return []
        const [target = '', anchor] = link.split('#')
        const file = target === '' ? path : posix.normalize(posix.join(posix.dirname(path), target))
        if (!existsSync(join(projectFolder, file))) return [`${path}:${index + 1} ${link} leads nowhere`]
        const anchors = documents.find((document) => document.path === file)?.lines.map(anchorOf)
        return anchor === undefined || anchors === undefined || anchors.includes(anchor)
          ? []
          : [`${path}:${index + 1} ${link} has no such heading`]
      }),
    ),
  )
  expect(findings).toEqual([])
})

/** The anchor that a Markdown heading is given. */
function anchorOf(line: string): string | undefined {
  const heading = /^#+ (.*)$/.exec(line)?.[1]
  return heading
    ?.toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}
