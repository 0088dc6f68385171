import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'

/** Builds dist/kernel/kernel.wasm when its sources are newer, so that single tests run without `npm run build`. */
export default function setup(): void {
  const assembly = 'src/kernel/assembly'
  const built = 'dist/kernel/kernel.wasm'
  const newest = Math.max(
    ...readdirSync(assembly, { recursive: true }).map((name) => {
      return statSync(`${assembly}/${String(name)}`).mtimeMs
    }),
  )
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  execFileSync('npm', ['run', '--silent', 'build:kernel'], { stdio: 'inherit' })
}
