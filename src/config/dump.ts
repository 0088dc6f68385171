import { definitionOf } from './bind-reserved.ts'
import type { Element, Setting } from './element.ts'
import type { PluginRegistry } from './registry.ts'
import type { PluginKind, PluginSection, Section, Shape } from './schema.ts'
import { looksSecret, mask, maskUrls } from './secrets.ts'
import { systemShape } from './system.ts'

const pluginKinds: Readonly<Record<string, PluginKind>> = {
  source: 'source',
  filter: 'filter',
  match: 'output',
}

const maxDepth = 64

/**
 * The configuration as text, as Fluentd logs it: values evaluated, includes in their place, and
 * secrets as `xxxxxx`. Secret is what a schema says, and, where no schema knows the parameter, what
 * is named like one.
 */
export function dumpConfig(root: Element, registry: PluginRegistry): string {
  const lines: string[] = ['<ROOT>']
  for (const setting of root.params) lines.push(`  ${settingLine(setting, undefined)}`)
  for (const child of root.children) dump(child, undefined, registry, 1, lines)
  lines.push('</ROOT>')
  return `${lines.join('\n')}\n`
}

function dump(
  element: Element,
  shape: Shape | undefined,
  registry: PluginRegistry,
  depth: number,
  lines: string[],
): void {
  const indent = '  '.repeat(depth)
  const own = shape ?? shapeOf(element, registry)
  const argument = element.argument === '' ? '' : ` ${printable(element.argument)}`
  lines.push(`${indent}<${element.name}${argument}>`)
  for (const setting of element.params) lines.push(`${indent}  ${settingLine(setting, own)}`)
  if (depth < maxDepth) {
    for (const child of element.children) {
      dump(
        child,
        sectionShape(own?.sections?.[child.name], child, registry),
        registry,
        depth + 1,
        lines,
      )
    }
  }
  lines.push(`${indent}</${element.name}>`)
}

function shapeOf(element: Element, registry: PluginRegistry): Shape | undefined {
  if (element.name === 'system') return systemShape
  const kind = Object.hasOwn(pluginKinds, element.name) ? pluginKinds[element.name] : undefined
  return kind && definitionOf(kind, element, registry)?.shape
}

function sectionShape(
  declared: Section | PluginSection | undefined,
  element: Element,
  registry: PluginRegistry,
): Shape | undefined {
  if (declared === undefined) return undefined
  if (declared.kind === 'section') return declared.shape
  return definitionOf(declared.plugin, element, registry, declared.options.defaultType)?.shape
}

function settingLine(setting: Setting, shape: Shape | undefined): string {
  const { value, useDefault } = setting
  const name = /[\s"'#<]/.test(setting.name) ? JSON.stringify(setting.name) : setting.name
  if (useDefault) return `${name} "#{use_default}"`
  if (value === undefined) return `${name} "#{use_nil}"`
  if (isSecret(setting.name, shape)) return `${name} ${mask}`
  return `${name} ${printable(value)}`
}

/** Whether a parameter's value must not be shown. */
export function isSecret(name: string, shape: Shape | undefined): boolean {
  const params = Object.entries(shape?.params ?? {})
  const declared = params.find(([own, { options }]) => own === name || options.alias === name)?.[1]
  return declared === undefined ? looksSecret(name) : declared.options.secret === true
}

/** Quoted where the bare text would be read as something else. */
function printable(value: string): string {
  const text = maskUrls(value)
  const plain = /^(?=[^\s"'[{#])[^\u0000-\u001f\u007f-\u009f]*(?<=\S)$/
  if ((plain.test(text) && !/\s#/.test(text)) || isJson(text)) return text
  const escaped = text
    .replace(/["\\\n\r\t\f\u0008\0]/g, (c) => escapes[c]!)
    .replaceAll('#{', '\\#{')
  return `"${escaped.replace(/[\u0001-\u001f\u007f-\u009f]/g, ' ')}"`
}

function isJson(text: string): boolean {
  if (!/^[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return !/[\r\n]/.test(text)
  } catch {
    return false
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
  '\0': '\\0',
}
