import { simulateMany } from './many.ts'

simulateMany({ from: 1, step: 2, count: 1000 })
