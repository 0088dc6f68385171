#!/usr/bin/env node
import { load } from './host/built-code.ts'

const { main } = load('main.js') as typeof import('./cli/main.ts')
void main(process.argv[1] ?? 'sluice', process.argv.slice(2)).then((code) => process.exit(code))
