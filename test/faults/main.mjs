#!/usr/bin/env node
// npm run faults -- [--rows REGEXP] [--quick] [--rounds N] [--slack N]
//
// The real command under faults, seen from outside: clients with unique ids that wait for acks and send again, and the files
// it wrote, compared afterwards. Prints each figure beside its bar; ends with 1 when one is missed. Needs `npm run build` before.
// --slack: times may be so many times their bar, for machines that do other things meanwhile.
import { parseArgs } from 'node:util'
import {
  diskFullRow,
  killRow,
  lifeRow,
  memoryRow,
  outputFullRow,
  reloadRow,
  restartRow,
} from './rows-crash.mjs'
import { floodRow } from './rows-flood.mjs'
import {
  bombRow,
  hostileRow,
  httpRow,
  idleRow,
  largestRow,
  longTagRow,
  sameTagRow,
} from './rows-load.mjs'
import { fullBufferRow, relayRow } from './rows-relay.mjs'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '.' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    slack: { type: 'string', default: '1' },
  },
})

const rows = [
  killRow,
  memoryRow,
  diskFullRow,
  outputFullRow,
  httpRow,
  relayRow,
  fullBufferRow,
  restartRow,
  reloadRow,
  idleRow,
  floodRow,
  hostileRow,
  sameTagRow,
  bombRow,
  largestRow,
  longTagRow,
  lifeRow,
]

const options = {
  quick: values.quick,
  ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
}
const wanted = new RegExp(values.rows, 'i')

function shown(value) {
  if (!Number.isFinite(value)) return String(value)
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1)
}

function print({ name, value, unit, bar, ok, least, detail }) {
  const against = bar === undefined ? '' : `${least ? 'at least' : 'at most'} ${shown(bar)}`
  const verdict = ok ? '' : '  MISSED'
  console.log(
    `  ${name.padEnd(46)} ${shown(value).padStart(10)} ${unit.padEnd(7)} ${against}${verdict}`,
  )
  if (detail) console.log(`      ${detail}`)
}

/** With times measured by the slack that is given. */
function judged(figure) {
  if (figure.unit !== 'ms' || figure.bar === undefined) return figure
  const bar = figure.bar * Number(values.slack)
  return { ...figure, bar, ok: figure.value <= bar }
}

let missed = 0
for (const row of rows.filter(({ name }) => wanted.test(name))) {
  console.log(row.name)
  try {
    const figures = await row.run(options)
    if (figures.skipped !== undefined) {
      console.log(`  skipped: ${figures.skipped}`)
      continue
    }
    const all = figures.map(judged)
    for (const one of all) print(one)
    missed += all.filter(({ ok }) => !ok).length
  } catch (error) {
    missed += 1
    console.log(`  FAILED: ${error.stack}`)
  }
}
console.log(missed === 0 ? 'every bar is met' : `${missed} figures miss their bar`)
process.exit(missed === 0 ? 0 : 1)
