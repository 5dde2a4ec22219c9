// One schema as Kafka's JSON definition: names in Kafka's capitals, structs given by the fields of their elements.

import type { Field, Fields, Message } from '@odradek/shared/protocol/schema'

/** A field in the shape of Kafka's message definitions. */
export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly default?: string
  readonly ignorable?: boolean
  readonly mapKey?: boolean
  readonly entityType?: string
  readonly fields?: readonly FieldDefinition[]
}

/** A message in the shape of Kafka's message definitions. */
export interface MessageDefinition {
  readonly apiKey?: number
  readonly type: string
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly FieldDefinition[]
}

export function definitionOf(message: Message<any>): MessageDefinition {
  return {
    ...(message.apiKey === undefined ? {} : { apiKey: message.apiKey }),
    type: message.type,
    name: message.name,
    validVersions: message.versions,
    flexibleVersions: message.flexible,
    fields: fieldsOf(message.fields),
  }
}

function fieldsOf(fields: Fields): FieldDefinition[] {
  return Object.entries(fields).map(([name, field]) => fieldOf(capitalised(name), field))
}

function fieldOf(name: string, field: Field<any>): FieldDefinition {
  const { element, tag, ignorable, mapKey, entityType } = field
  const isStruct = typeof element !== 'string'
  return {
    name,
    type: `${field.array ? '[]' : ''}${isStruct ? 'struct' : element}`,
    versions: field.versions,
    ...(field.nullable === undefined ? {} : { nullableVersions: field.nullable }),
    ...(field.flexible === undefined ? {} : { flexibleVersions: field.flexible }),
    ...(tag === undefined ? {} : { tag, taggedVersions: field.tagged ?? field.versions }),
    ...(field.default === undefined ? {} : { default: String(field.default) }),
    ...(ignorable ? { ignorable } : {}),
    ...(mapKey ? { mapKey } : {}),
    ...(entityType === undefined ? {} : { entityType }),
    ...(isStruct ? { fields: fieldsOf(element) } : {}),
  }
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
