import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { compileRegexpSource, type LineMatcher } from '../../text/regexp.ts'
import type { ConcatParams } from './shape.ts'

/** What tells where an event begins and ends. */
export type Rules =
  | { readonly kind: 'lines'; readonly count: number }
  | { readonly kind: 'partial'; readonly key: string; readonly value: string }
  | { readonly kind: 'metadata'; readonly fields: MetadataFields }
  | { readonly kind: 'cri'; readonly logtagKey: string; readonly streamKey: string }
  | {
      readonly kind: 'regexp'
      readonly start: LineMatcher | undefined
      readonly end: LineMatcher | undefined
      readonly continuous: LineMatcher | undefined
    }

export interface MetadataFields {
  readonly message: string
  readonly id: string
  readonly ordinal: string
  readonly last: string
  /** Events without it are whole. */
  readonly indicator: string
}

/** Names of Docker's fluentd and journald drivers. The latter says nothing of a message's last part but its id. */
const metadataFields: Readonly<Record<ConcatParams['partialMetadataFormat'], MetadataFields>> = {
  'docker-fluentd': {
    message: 'partial_message',
    id: 'partial_id',
    ordinal: 'partial_ordinal',
    last: 'partial_last',
    indicator: 'partial_message',
  },
  'docker-journald': {
    message: 'CONTAINER_PARTIAL_MESSAGE',
    id: 'CONTAINER_PARTIAL_ID',
    ordinal: 'CONTAINER_PARTIAL_ORDINAL',
    last: 'CONTAINER_PARTIAL_LAST',
    indicator: 'CONTAINER_PARTIAL_ID',
  },
  'docker-journald-lowercase': {
    message: 'container_partial_message',
    id: 'container_partial_id',
    ordinal: 'container_partial_ordinal',
    last: 'container_partial_last',
    indicator: 'container_partial_id',
  },
}

type Way = { readonly words: string; readonly param: string; readonly used: boolean }

/** Throws ConfigError unless exactly one way is written, whole. */
export function rulesOf(params: ConcatParams): Rules {
  const ways: Way[] = [
    { words: 'n_lines', param: 'nLines', used: params.nLines !== undefined },
    {
      words: 'multiline_start_regexp/multiline_end_regexp',
      param:
        params.multilineStartRegexp === undefined ? 'multilineEndRegexp' : 'multilineStartRegexp',
      used: params.multilineStartRegexp !== undefined || params.multilineEndRegexp !== undefined,
    },
    { words: 'partial_key', param: 'partialKey', used: params.partialKey !== undefined },
    { words: 'use_partial_metadata', param: 'usePartialMetadata', used: params.usePartialMetadata },
    {
      words: 'use_partial_cri_logtag',
      param: 'usePartialCriLogtag',
      used: params.usePartialCriLogtag,
    },
  ]
  const [way, other] = ways.filter(({ used }) => used)
  if (way === undefined) {
    throw new ConfigError(
      'Either n_lines, multiline_start_regexp, multiline_end_regexp, partial_key, use_partial_metadata or use_partial_cri_logtag is required',
      { position: positionOf(params) },
    )
  }
  if (other !== undefined) {
    throw new ConfigError(`${other.words} and ${way.words} are exclusive`, {
      position: positionOf(params, other.param),
    })
  }
  if (params.nLines !== undefined) return { kind: 'lines', count: params.nLines }
  if (params.partialKey !== undefined) return partialRules(params, params.partialKey)
  if (params.usePartialMetadata) {
    return { kind: 'metadata', fields: metadataFields[params.partialMetadataFormat] }
  }
  if (params.usePartialCriLogtag) return criRules(params)
  return {
    kind: 'regexp',
    start: between(params, 'multilineStartRegexp'),
    end: between(params, 'multilineEndRegexp'),
    continuous: between(params, 'continuousLineRegexp'),
  }
}

function partialRules(params: ConcatParams, key: string): Rules {
  if (params.partialValue === undefined) {
    throw new ConfigError('partial_value is required when partial_key is specified', {
      position: positionOf(params, 'partialKey'),
    })
  }
  return { kind: 'partial', key, value: params.partialValue }
}

function criRules(params: ConcatParams): Rules {
  const { partialCriLogtagKey: logtagKey, partialCriStreamKey: streamKey } = params
  if (logtagKey === undefined) {
    throw new ConfigError('partial_cri_logtag_key is required with use_partial_cri_logtag', {
      position: positionOf(params, 'usePartialCriLogtag'),
      hint: 'name the field in which the parser puts P or F, often `logtag`',
    })
  }
  return { kind: 'cri', logtagKey, streamKey }
}

function between(
  params: ConcatParams,
  name: 'multilineStartRegexp' | 'multilineEndRegexp' | 'continuousLineRegexp',
): LineMatcher | undefined {
  const written = params[name]
  if (written === undefined) return undefined
  const position = positionOf(params, name)
  const source = /^\/([\s\S]*)\/$/.exec(written)?.[1]
  if (source === undefined) {
    throw new ConfigError(`an expression is to stand between slashes: ${written}`, {
      position,
      hint: 'write /…/ without options; (?i) inside makes letter case not matter',
    })
  }
  return compileRegexpSource(source, position)
}
