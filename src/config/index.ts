/** The public face of the configuration: text → Element tree → bound values. */
export { bindPlugin, bindSection } from './bind.ts'
export { bindConfig } from './bind-config.ts'
export type { BindResult, BoundConfig, BoundPipeline } from './bind-types.ts'
export {
  type ConfigWarning,
  placeOf,
  renderAll,
  renderError,
  renderWarning,
} from './diagnostics.ts'
export { dumpConfig, isSecret } from './dump.ts'
export type { Element, Setting } from './element.ts'
export type { ConfigInput, ConfigType, ConfigWorld, ParsedConfig } from './input.ts'
export { parseConfig } from './parse.ts'
export { referencePage, referencePages } from './reference.ts'
export { createRegistry, type PluginRegistry, type RegisteredPlugin } from './registry.ts'
export { looksSecret, mask, maskUrls } from './secrets.ts'
export { didYouMean, nearest } from './suggest.ts'
export { modeOf, type SystemConfig, systemShape } from './system.ts'
