/** The two series of patterns: plain names of fields, or those of the Elastic Common Schema. */
export type GrokSeries = 'legacy' | 'ecs-v1'

/** Expressions by name. */
export type Patterns = Record<string, string>

/** For each plain name the field of the other series, with its type; an empty text takes no field. */
export type FieldNames = Readonly<Record<string, string>>

/** One of several names, as a group. */
export const anyOf = (names: readonly string[]) =>
  `(?:${names.map((name) => `%{${name}}`).join('|')})`

/** What a pattern takes, or the dash that stands for nothing, which takes no field. */
export const orDash = (reference: string) => `(?:-|%{${reference}})`

/** The expression with each plain field under its other name. Names without one stay. */
export function renameFields(pattern: string, names: FieldNames): string {
  return pattern.replace(/%\{(\w+):([\w-]+)\}/g, (all, kind: string, field: string) => {
    const other = Object.hasOwn(names, field) ? names[field] : undefined
    if (other === undefined) return all
    return other === '' ? `%{${kind}}` : `%{${kind}:${other}}`
  })
}
