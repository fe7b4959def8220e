/**
 * docs/api.md: the reference of the HTTP API, written from its OpenAPI document. `make api-page` writes it anew, and
 * test/unit/server/api-page.test.ts holds it equal. Pure: a document in, the page out.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>;
}

export interface OpenApi {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const HEAD = `# The HTTP API

Every route of a replica's HTTP address, written from its OpenAPI 3.1 document by \`make api-page\`; the document itself is at \`/openapi.json\`. How the answers are meant is in [server.md](server.md), the codes of errors in [errors.md](errors.md), the explanations in [explain.md](explain.md). \`make test-api\` asks a real cluster all of it.

Unknown query parameters and unknown fields are refused. Every path with GET takes HEAD too. What is marked * must be given.
`;

export function apiPage(document: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const sections = document.tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return [
      `## ${name}`,
      description,
      ...own.map(({ method, path, operation }) => operationText(method, path, operation)),
    ].join('\n\n');
  });
  return `${[HEAD.trimEnd(), ...sections, errorsText(document), namedText(document)].join('\n\n')}\n`;
}

function operationText(method: string, path: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const parts = [`### ${method} ${path}`, description === undefined ? `${summary}.` : `${summary}. ${description}`];
  if (parameters.length > 0) parts.push(parametersTable(parameters));
  for (const [, { schema }] of Object.entries(requestBody?.content ?? {})) {
    parts.push(`Body:\n\n\`\`\`\n${shapeOf(schema, '')}\n\`\`\``);
  }
  for (const [status, { description: meaning, content = {} }] of Object.entries(responses)) {
    if (Number(status) >= 400) continue;
    parts.push(`**${status}** ${meaning}`);
    for (const [media, { schema }] of Object.entries(content)) parts.push(answerText(media, schema));
  }
  const refused = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  const own = refused.map(([status]) => status).filter((status) => !ANY_REQUEST.has(status));
  if (own.length > 0) parts.push(`Also ${own.join(', ')}: see [errors](#errors).`);
  return parts.join('\n\n');
}

/** Statuses that every route may have: they are named once. */
const ANY_REQUEST = new Set(['400', '401', '403', '405', '408', '413', '415', '429', '431', '500', '503']);

function answerText(media: string, schema: Schema): string {
  const shape = shapeOf(schema, '');
  const named = nameOf(schema);
  if (named !== undefined) return `${media}: [${named}](#${named.toLowerCase()})`;
  return schema.type === 'string' ? media : `${media}:\n\n\`\`\`\n${shape}\n\`\`\``;
}

function parametersTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, in: place, required, schema, description }) => {
    const words = [description ?? schema.description ?? '', defaultText(schema)].filter((text) => text !== '');
    return `| \`${name}\`${required === true ? ' *' : ''} | ${place} | ${escaped(typeText(schema))} | ${escaped(words.join(' '))} |`;
  });
  return ['| parameter | in | value | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function defaultText({ default: value }: Schema): string {
  return value === undefined ? '' : `Default ${JSON.stringify(value)}.`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** As one would write the type: fields in lines, what may be absent with a question mark. */
function shapeOf(schema: Schema, indent: string): string {
  if (schema.properties === undefined) return typeText(schema, indent);
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const optional = schema.required?.includes(name) === true ? '' : '?';
    const words = property.description === undefined ? '' : `  // ${property.description}`;
    return `${inner}${name}${optional}: ${shapeOf(property, inner)}${words}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
}

function typeText(schema: Schema, indent = ''): string {
  const named = nameOf(schema);
  if (named !== undefined) return named;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const variants = schema.anyOf ?? schema.enum?.map((value) => ({ const: value }));
  if (variants !== undefined) return variants.map((variant) => shapeOf(variant, indent)).join(' | ');
  if (schema.properties !== undefined) return shapeOf(schema, indent);
  switch (schema.type) {
    case 'array': {
      const item = shapeOf(schema.items ?? {}, indent);
      const bounds = boundsText(schema.minItems, schema.maxItems, 'items');
      return `${item.includes(' | ') ? `(${item})` : item}[]${bounds}`;
    }
    case 'integer':
      return `whole number${boundsText(schema.minimum, schema.maximum, '')}`;
    case 'string':
      return `text${boundsText(schema.minLength, schema.maxLength, 'characters')}`;
    case 'object':
      return 'object';
    case 'boolean':
      return 'true | false';
    case 'null':
      return 'null';
    default:
      return 'any value';
  }
}

function boundsText(from: number | undefined, to: number | undefined, unit: string): string {
  const upper = to === undefined || to === Number.MAX_SAFE_INTEGER ? undefined : to;
  const words = upper === undefined ? (from === undefined ? '' : `from ${from}`) : `${from ?? 0} to ${upper}`;
  return words === '' ? '' : ` (${[words, unit].filter((text) => text !== '').join(' ')})`;
}

function nameOf({ $ref }: Schema): string | undefined {
  return $ref?.split('/').at(-1);
}

/** Each status with its codes, as the routes describe them. */
function errorsText({ paths }: OpenApi): string {
  const statuses = new Map<string, string>();
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, { description }] of Object.entries(operation.responses)) {
      if (Number(status) >= 400 && description !== '') statuses.set(status, description);
    }
  }
  const rows = [...statuses].sort().map(([status, codes]) => `| ${status} | ${codesText(codes)} |`);
  return [
    '## errors',
    'The body is a [Problem](#problem), in the media type `application/problem+json`.',
    ['| status | codes |', '|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function codesText(codes: string): string {
  return codes
    .split(', ')
    .map((code) => `\`${code}\``)
    .join(', ');
}

function namedText({ components }: OpenApi): string {
  const parts = Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => {
      const words = schema.description === undefined ? '' : `${schema.description}\n\n`;
      return `### ${name}\n\n${words}\`\`\`\n${shapeOf({ ...schema }, '')}\n\`\`\``;
    });
  return ['## shapes', ...parts].join('\n\n');
}
