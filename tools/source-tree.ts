/** The files of the project as the house rules see them: text, with its lines, without what git ignores. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { rooms, type Room } from './ranks.ts'

export const projectFolder = resolve(import.meta.dirname, '..')

export interface SourceFile {
  /** From the project's folder, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

const binary = /\.(png|ico|woff2?|pdf|gz)$/

/** Every text file that is, or may be, tracked by git. */
export function sourceFiles(): SourceFile[] {
  const ignored = new Set(['.git', ...ignoredNames()])
  const files: SourceFile[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(projectFolder, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name)
      if (ignored.has(entry.name) || binary.test(entry.name) || entry.name.endsWith('.log')) continue
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) files.push(read(path))
    }
  }
  walk('.')
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function ignoredNames(): string[] {
  return readFileSync(join(projectFolder, '.gitignore'), 'utf8')
    .split('\n')
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function read(path: string): SourceFile {
  const text = readFileSync(join(projectFolder, path), 'utf8')
  return { path, text, lines: text.replace(/\n$/, '').split('\n') }
}

/** The room a module stands in: the folder or file directly under `src/`. */
export function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1]
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** Whether a person wrote the file, rather than a tool. */
export function isHandWritten(path: string): boolean {
  return !path.includes('.generated.') && path !== 'package-lock.json' && !path.startsWith('docs/api/')
}

export function roomsOfKind(kind: Room['kind']): Set<string> {
  return new Set(rooms.filter((room) => room.kind === kind).map(({ name }) => name))
}

/** Each line of the files that matches, as `path:line text`, for a message that an editor can follow. */
export function findLines(files: readonly SourceFile[], pattern: RegExp, note: (match: string) => string): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const match = pattern.exec(line)
      return match === null ? [] : [`${path}:${index + 1} ${note(match[0].trim())}`]
    }),
  )
}

/** Relative imports of a module, as paths from the project's folder. */
export function relativeImports({ path, lines }: SourceFile): { line: number; target: string }[] {
  return lines.flatMap((text, index) => {
    const specifier = /(?:\bfrom|\bimport|\bimport\()\s*['"](\.[^'"]*)['"]/.exec(text)?.[1]
    return specifier === undefined
      ? []
      : [{ line: index + 1, target: posix.normalize(posix.join(posix.dirname(path), specifier)) }]
  })
}
