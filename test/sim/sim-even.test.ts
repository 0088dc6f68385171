import { simulateMany } from './many.ts'

simulateMany({ from: 2, step: 2, count: 1000 })
