/**
 * Metrics of several workers as one text: samples of one name stand together, and each has the label `worker_id`, so
 * that the workers' figures are not taken for one another's.
 */
export function mergeExpositions(texts: ReadonlyMap<number, string>): string {
  const families = new Map<string, { comments: string[]; samples: string[] }>()
  for (const [workerId, text] of texts) {
    let family = { comments: [] as string[], samples: [] as string[] }
    for (const line of text.split('\n')) {
      const comment = /^# (?:HELP|TYPE) (\S+)/.exec(line)
      if (comment !== null) {
        const name = comment[1] as string
        family = families.get(name) ?? { comments: [], samples: [] }
        families.set(name, family)
        if (!family.comments.includes(line) && family.comments.length < 2)
          family.comments.push(line)
      } else if (line !== '' && !line.startsWith('#')) {
        family.samples.push(withWorker(line, workerId))
      }
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) => [...comments, ...samples])
  return `${lines.join('\n')}\n`
}

/** `name{a="b"} 1` → `name{a="b",worker_id="0"} 1`; a sample that has the label already keeps its own. */
function withWorker(line: string, workerId: number): string {
  const [, name = '', labels] = /^([a-zA-Z_:][\w:]*)(\{.*\})?/.exec(line) ?? []
  const value = line.slice(name.length + (labels?.length ?? 0))
  if (labels === undefined || labels === '{}') return `${name}{worker_id="${workerId}"}${value}`
  if (/[{,]worker_id="/.test(labels)) return line
  return `${name}${labels.slice(0, -1)},worker_id="${workerId}"}${value}`
}
