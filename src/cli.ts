#!/usr/bin/env node
import { main } from './cli/main.ts'

process.exit(await main(process.argv[1] ?? 'sluice', process.argv.slice(2)))
