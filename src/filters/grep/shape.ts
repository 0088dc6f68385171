import { type Bound, type Param, regexp, section, string } from '../../config/schema.ts'

/** Fluentd has regexp1 to regexp20, and as many excludes. */
export const oldStyleCount = 20

function oldStyle(kind: 'regexp' | 'exclude'): Record<string, Param<string | undefined>> {
  const params: Record<string, Param<string | undefined>> = {}
  for (let i = 1; i <= oldStyleCount; i++) {
    params[`${kind}${i}`] = string({
      description: `A field and an expression, separated by a space: the old way to write <${kind}>.`,
      deprecated: `Use <${kind}> section`,
    })
  }
  return params
}

const condition = {
  params: {
    key: string({
      description: 'The field: a key, or a path such as $.a.b[0].',
      required: true,
    }),
    pattern: regexp({
      description: 'A regular expression, `/…/` with the options i, m and x, or without slashes.',
      required: true,
    }),
  },
} as const

const group = {
  params: {},
  sections: {
    regexp: section(condition, { description: 'An expression to be found.', multi: true }),
    exclude: section(condition, { description: 'An expression not to be found.', multi: true }),
  },
} as const

export const grepShape = {
  params: { ...oldStyle('regexp'), ...oldStyle('exclude') },
  sections: {
    regexp: section(condition, {
      description: 'Events go on if the expression is found in the field; of several, all must be.',
      multi: true,
    }),
    exclude: section(condition, {
      description: 'Events are dropped if the expression is found in the field; of several, any.',
      multi: true,
    }),
    and: section(group, {
      description: 'Events go on, or are dropped, if all of the expressions inside are found.',
      multi: true,
    }),
    or: section(group, {
      description: 'Events go on, or are dropped, if any of the expressions inside is found.',
      multi: true,
    }),
  },
} as const

export type GrepParams = Bound<{
  params: Record<never, never>
  sections: typeof grepShape.sections
}>
