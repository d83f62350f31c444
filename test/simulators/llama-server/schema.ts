/**
 * Errors for JSON schemas that llama-server cannot convert to a grammar, with the place in the schema (recorded as
 * `error-schema-*`). Unknown keywords are ignored silently.
 */
import { invalidRequest } from './errors';
import { typeName } from './json';

type Schema = Readonly<Record<string, unknown>>;

/** More repetitions make the grammar invalid. */
const MAX_REPETITIONS = 2000;

const TEMPLATE =
	'Unable to generate parser for this template. Automatic parser generation failed: ';
const FIELD = 'Field \'json_schema\': "json_schema": JSON schema conversion failed:\n';

const GRAMMAR = 'Failed to initialize samplers: failed to parse grammar';

class SchemaCheck {
	private readonly seen = new Set<string>();
	private tooMany = false;

	constructor(
		private readonly root: unknown,
		private readonly lead: string,
	) {}

	run(): void {
		this.node(this.root, '#');
		// The grammar is parsed after the whole schema was converted.
		if (this.tooMany) throw invalidRequest(GRAMMAR);
	}

	private fail(path: string, problem: string): Error {
		return invalidRequest(`${this.lead}JSON schema error at ${path}: ${problem}`);
	}

	private node(value: unknown, path: string): void {
		if (typeName(value) !== 'object') throw this.fail(path, 'schema must be an object');
		const schema = value as Schema;
		if (schema.$ref !== undefined) {
			this.reference(schema.$ref, path);
			return;
		}
		const alternatives =
			schema.oneOf !== undefined ? 'oneOf' : schema.anyOf !== undefined ? 'anyOf' : undefined;
		if (alternatives) {
			this.list(schema[alternatives], `${path}/${alternatives}`);
			return;
		}
		const { type } = schema;
		if (Array.isArray(type)) {
			if (type.length === 0) throw this.fail(path, 'type must not be empty');
			type.forEach((one, index) =>
				this.node({ ...schema, type: one as unknown }, `${path}/type/${index}`),
			);
			return;
		}
		if (schema.const !== undefined) return;
		if (schema.enum !== undefined) {
			if (!Array.isArray(schema.enum) || schema.enum.length === 0)
				throw this.fail(path, 'enum must be a non-empty array');
			return;
		}
		if (type !== undefined && type !== null && typeof type !== 'string') {
			throw this.fail(path, 'type must be a string or an array of strings');
		}
		this.typed(schema, type ?? '', path);
	}

	private typed(schema: Schema, type: string, path: string): void {
		const structured =
			schema.properties !== undefined ||
			(schema.additionalProperties !== undefined && schema.additionalProperties !== true);
		const combines =
			schema.allOf !== undefined &&
			(type === 'string' || (!structured && (type === 'object' || type === '')));
		if (combines) this.list(schema.allOf, `${path}/allOf`);
		else if (type === 'object' || (type === '' && structured)) this.object(schema, path);
		else if (type === 'array' || (type === '' && ('items' in schema || 'prefixItems' in schema))) {
			this.array(schema, path);
		} else if (type === 'string' || type === '') this.string(schema, path);
		else if (!['integer', 'number', 'boolean', 'null'].includes(type))
			throw this.fail(path, `unrecognized type ${type}`);
	}

	private reference(ref: unknown, path: string): void {
		if (typeof ref !== 'string') throw this.fail(path, '$ref must be a string');
		if (!ref.startsWith('#/')) {
			throw this.fail(
				path,
				`unsupported $ref ${ref}, only references into the same document are supported`,
			);
		}
		if (this.seen.has(ref)) return;
		this.seen.add(ref);
		let target = this.root;
		for (const step of ref.slice(2).split('/')) {
			const holder = (typeof target === 'object' && target !== null ? target : {}) as Schema;
			if (!Array.isArray(target) && holder[step] === undefined) {
				throw this.fail(path, `cannot resolve $ref ${ref}, ${step} not found`);
			}
			if (holder[step] === undefined)
				throw this.fail(path, `cannot resolve $ref ${ref}, ${step} is out of range`);
			target = holder[step];
		}
		this.node(target, ref);
	}

	private list(value: unknown, path: string): void {
		if (!Array.isArray(value)) throw this.fail(path, 'must be an array of schemas');
		if (value.length === 0) throw this.fail(path, 'must not be empty');
		value.forEach((one, index) => this.node(one, `${path}/${index}`));
	}

	private object(schema: Schema, path: string): void {
		const { properties, additionalProperties: additional } = schema;
		if (properties !== undefined) {
			if (typeName(properties) !== 'object') throw this.fail(path, 'properties must be an object');
			for (const [name, one] of Object.entries(properties as Schema))
				this.node(one, `${path}/properties/${name}`);
		}
		if (additional === undefined || typeof additional === 'boolean') return;
		if (typeName(additional) !== 'object') {
			throw this.fail(path, 'additionalProperties must be a boolean or a schema');
		}
		this.node(additional, `${path}/additionalProperties`);
	}

	private array(schema: Schema, path: string): void {
		const key = 'items' in schema ? 'items' : 'prefixItems';
		const items = schema[key];
		if (Array.isArray(items)) {
			items.forEach((one, index) => this.node(one, `${path}/${key}/${index}`));
			return;
		}
		if (key in schema) this.node(items, `${path}/${key}`);
		// The first item is outside the repetition.
		this.repeat(this.count(schema, 'minItems', path) - 1);
		this.count(schema, 'maxItems', path);
	}

	private string(schema: Schema, path: string): void {
		const { pattern, format } = schema;
		if (pattern !== undefined && typeof pattern !== 'string')
			throw this.fail(path, 'pattern must be a string');
		if (format !== undefined && typeof format !== 'string')
			throw this.fail(path, 'format must be a string');
		this.repeat(this.count(schema, 'minLength', path));
		this.count(schema, 'maxLength', path);
		// Patterns without anchors are ignored: any string is allowed.
		if (!/^\^.*\$$/s.test(pattern ?? '')) return;
		for (const [, least] of (pattern ?? '').matchAll(/\{(\d+)[,}]/g)) this.repeat(Number(least));
	}

	private count(schema: Schema, key: string, path: string): number {
		const value = schema[key] ?? 0;
		if (!Number.isInteger(value) || (value as number) < 0)
			throw this.fail(path, `${key} must be a non-negative integer`);
		return value as number;
	}

	private repeat(least: number): void {
		if (least > MAX_REPETITIONS) this.tooMany = true;
	}
}

/** Checks the schema of an answer or of a tool's parameters. @throws llama-server's error */
export const checkSchema = (schema: unknown): void => new SchemaCheck(schema, TEMPLATE).run();

/** The same for the field `json_schema`, if no other grammar takes precedence. */
export const checkSchemaField = (schema: unknown): void => new SchemaCheck(schema, FIELD).run();
