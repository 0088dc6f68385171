/**
 * Bounds of what a configuration may be: far above any real one, so that a hostile one ends with an
 * error.
 */
export const configLimits = {
  /** Sections in sections, arrays in arrays, YAML maps in maps. */
  depth: 64,
  /** Files including files. */
  includeDepth: 16,
  /** Files read in all, by includes. */
  files: 1000,
  /** Characters of one file. */
  fileLength: 16 * 1024 * 1024,
  /** Sections and parameters in all. */
  nodes: 500_000,
  /** Errors collected before reading stops. */
  errors: 100,
  /** Directory entries one glob may look at. */
  globEntries: 100_000,
  /** Alternatives that the braces of one glob may make. */
  globBraces: 256,
} as const
