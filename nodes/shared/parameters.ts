import type {
	IDataObject,
	IGetNodeParameterOptions,
	INodeExecutionData,
	INodeProperties,
	INodePropertyCollection,
	IPollFunctions,
	NodeConnectionType,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { JsonRecord } from '../../lib/values/records';
import type { NumberRange } from '../../lib/values/numbers';
import { isRecord, asRecord, isUnset } from '../../lib/values/records';
import { getErrorMessage, parseBoolean, truncate } from '../../lib/values/text';
import { formatMegabytes } from '../../lib/http/body-limits';
import { JsonMemory } from '../../lib/json-memory';
import { MAX_FIELD_VALUES } from '../../lib/task-limits';
import { parseJsonToSend } from '../../lib/values/exact-json';
import { isDeepText, MAX_DEPTH } from '../../lib/values/json';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { ANY_NUMBER, isInRange, formatRange } from '../../lib/values/numbers';
import { createInputError } from '../../lib/errors/create-error';
import type { ServerError } from '../../lib/errors/server-error';
import { findLengthProblem, LONG_TEXT_SUGGESTION } from '../../lib/errors/text-limits';
import { memoize } from '../../lib/lru-cache';
import { getOwn } from '../../lib/values/own-properties';

/** Source of values: the context of a node that processes items, or of a sub-node. */
export interface ParameterSource {
	getNodeParameter(
		name: string,
		itemIndex: number,
		...fallback: [value: unknown, options?: IGetNodeParameterOptions]
	): unknown;
	getNode?(): { parameters?: unknown };
	getInputData?(inputIndex?: number, connectionType?: NodeConnectionType): INodeExecutionData[];
	getWorkflow?(): { id?: string };
}

/**
 * Reads the node's parameters of one item. Labels, ranges and choices come from the node's description.
 *
 * Every method takes the path of a field: `query`, or `options.totalTimeout` for a field of a collection. `whenUnset` is
 * the value of a field that was not added, or whose expression returns nothing; without it, that is an error like any
 * other wrong value.
 */
export class NodeParameters {
	private readonly collections = new Map<string, JsonRecord>();
	/** The parameters as stored in the workflow, with their expressions. */
	private readonly stored: JsonRecord;
	/** Values without an expression, by name. */
	private readonly staticValues: Map<string, unknown>;

	/** @param properties - Fields of the node's description, or of its operation. */
	constructor(
		private readonly context: ParameterSource,
		readonly itemIndex: number,
		readonly properties: readonly INodeProperties[],
	) {
		this.stored = getStoredParameters(context);
		this.staticValues = getStaticValues(context)(properties);
	}

	/** Parameters of a poll, which has no items. */
	static ofPoll(context: IPollFunctions, properties: readonly INodeProperties[]): NodeParameters {
		return new NodeParameters(
			{
				getNodeParameter: (name, _itemIndex, ...fallback) =>
					context.getNodeParameter(name, ...fallback),
			},
			0,
			properties,
		);
	}

	/**
	 * The raw value, of any type. For a resource locator, its value.
	 *
	 * @throws a `ServerError` for a text that is too long to send
	 */
	value(path: string): unknown {
		const value = this.readValue(path);
		const isObject = typeof value === 'object' && value !== null;
		if (isObject && this.isJson(path)) this.assertFewValues(path, JSON.stringify(value));
		return typeof value === 'string' ? this.assertLength(path, value) : value;
	}

	private readValue(path: string): unknown {
		const dot = path.indexOf('.');
		if (dot < 0) return this.readTopLevel(path);
		const name = path.slice(0, dot);
		const fieldName = path.slice(dot + 1);
		// An operation may have no options at all.
		if (!this.properties.some((property) => property.name === name)) return undefined;
		return unwrapLocator(getOwn(this.collection(name), fieldName));
	}

	/** Unchanged text; numbers and objects become text. */
	rawString(path: string): string {
		const value = this.value(path);
		if (isUnset(value)) return '';
		if (typeof value === 'object') return this.assertLength(path, JSON.stringify(value));
		return String(value);
	}

	/** As `rawString`, for an option; undefined if it was not added. */
	textOption(path: string): string | undefined {
		return this.value(path) === undefined ? undefined : this.rawString(path);
	}

	/**
	 * As `rawString`, for a text that the operation is about.
	 *
	 * @throws a `ServerError` if it is empty or blank.
	 */
	requiredText(path: string): string {
		const text = this.rawString(path);
		if (text.trim() === '') throw this.createEmptyError(path);
		return text;
	}

	/** A name, an ID or other text, trimmed. Empty if unset. */
	string(path: string): string {
		const value = this.value(path);
		return isUnset(value) ? '' : asText(this.field(path), value).trim();
	}

	/**
	 * As `string`, for a required field.
	 *
	 * @throws a `ServerError` if it is empty.
	 */
	requiredString(path: string, suggestion?: string): string {
		const text = this.string(path);
		if (text === '') throw this.createEmptyError(path, suggestion);
		return text;
	}

	/** A number in the range of the field; whole if the field is. */
	readonly number: <F = never>(path: string, ...whenUnset: [] | [F]) => number | F =
		this.createReader(asNumber);

	/** Seconds in the node, milliseconds in the library. */
	readonly milliseconds: <F = never>(path: string, ...whenUnset: [] | [F]) => number | F =
		this.createReader((field, value) => Math.round(asNumber(field, value) * 1000));

	/** A switch, also from the texts and numbers that forms and tables use. */
	readonly boolean: <F = never>(path: string, ...whenUnset: [] | [F]) => boolean | F =
		this.createReader(asBoolean);

	/** A JSON object, or JSON text of one. */
	readonly object: <F = never>(path: string, ...whenUnset: [] | [F]) => JsonRecord | F =
		this.createReader(asObject);

	/** The same to send it: numbers that JavaScript cannot represent keep their digits. */
	readonly objectToSend: <F = never>(path: string, ...whenUnset: [] | [F]) => JsonRecord | F =
		this.createReader(asObjectToSend);

	/** One of the choices of the field, whose values are the type `T`. */
	choice<T extends string>(path: string, whenUnset: undefined): T | undefined;
	choice<T extends string>(path: string, whenUnset?: T): T;
	choice(path: string, ...whenUnset: [] | [unknown]): unknown {
		return this.createReader(asChoice)(path, ...whenUnset);
	}

	/** Several of the choices of the field. Empty if it was not added. */
	choices<T extends string>(path: string): T[] {
		const field = this.field(path);
		return [this.value(path)]
			.flat()
			.filter((value) => !isUnset(value))
			.map((value) => asChoice<T>(field, value));
	}

	/** Whether an option was added, even if its expression returns nothing. */
	hasOption(name: string): boolean {
		return Object.hasOwn(this.collection('options'), name);
	}

	/** Whether a field was left empty. A field with an expression was not, even if that returns nothing. */
	isUnset(name: string): boolean {
		const value = this.value(name);
		if (typeof value !== 'string' || value.trim() !== '') return false;
		return !hasExpression(getOwn(this.stored, name));
	}

	/** Fields of the input item; for a sub-node, of the item that its root node processes. */
	item(): IDataObject {
		// The default for a sub-node is its own connection type.
		const items = this.context.getInputData?.(0, NodeConnectionTypes.Main);
		return items?.[this.itemIndex]?.json ?? {};
	}

	/** ID of the workflow. n8n's Agents have none. */
	workflowId(): string | undefined {
		return this.context.getWorkflow?.().id;
	}

	/**
	 * What the description says about a field.
	 *
	 * @throws an `Error` if the node has no such field, which is a mistake in the code.
	 */
	field(path: string): DescribedField {
		return findField(this.properties, path);
	}

	/** @param problem - Continues the sentence after the field: "must be a text". */
	createError(path: string, problem: string, suggestion?: string): ServerError {
		return createFieldError(this.field(path).label, problem, suggestion);
	}

	/** The error of a field that needs a value. */
	createEmptyError(path: string, suggestion?: string): ServerError {
		return createEmptyFieldError(this.field(path).label, suggestion);
	}

	/** @throws a `ServerError` for a text that is too long to send */
	private assertLength(path: string, text: string): string {
		if (text.length < MIN_COUNTED_LENGTH) return text;
		if (this.isJson(path)) return this.assertFewValues(path, text);
		const problem = findLengthProblem(text);
		if (problem === undefined) return text;
		throw this.createError(path, problem, LONG_TEXT_SUGGESTION);
	}

	private isJson(path: string): boolean {
		return tryOrUndefined(() => this.field(path))?.property.type === 'json';
	}

	/**
	 * JSON may contain files, so only its values are counted.
	 *
	 * @throws a `ServerError` for JSON with so many values that n8n would wait while it is read
	 */
	private assertFewValues(path: string, json: string): string {
		const memory = new JsonMemory();
		memory.add(json);
		if (memory.bytes <= MAX_FIELD_VALUES) return json;
		throw this.createError(
			path,
			`has so many values that they would take more than ${formatMegabytes(MAX_FIELD_VALUES)} of memory`,
			LONG_TEXT_SUGGESTION,
		);
	}

	private createReader<T>(parse: (field: Field, value: unknown) => T) {
		return <F = never>(path: string, ...whenUnset: [] | [F]): T | F => {
			const value = this.value(path);
			return whenUnset.length > 0 && isUnset(value)
				? (whenUnset[0] as F)
				: parse(this.field(path), value);
		};
	}

	private readTopLevel(name: string) {
		const { stored, staticValues } = this;
		if (staticValues.has(name)) return staticValues.get(name);
		const { type, default: defaultValue } = findField(this.properties, name).property;
		const isLocator = type === 'resourceLocator';
		// n8n uses the fallback for hidden fields, and fails without one.
		const fallback = hasExpression(defaultValue) || isLocator ? '' : defaultValue;
		const options = { extractValue: isLocator };
		const value = this.context.getNodeParameter(name, this.itemIndex, fallback, options);
		if (Object.hasOwn(stored, name) && !hasExpression(getOwn(stored, name)))
			staticValues.set(name, value);
		return value;
	}

	/**
	 * A collection, read only once, since n8n evaluates all its expressions each time. Text or a list counts as empty, as
	 * n8n loads such a workflow (docs/protocols/n8n.md 4.5).
	 */
	private collection(name: string) {
		const collection = this.collections.get(name) ?? asRecord(this.readTopLevel(name));
		this.collections.set(name, collection);
		return collection;
	}
}

/** Characters: shorter texts are within all limits. */
const MIN_COUNTED_LENGTH = 128 * 1024;

/** For a resource locator, its value. n8n resolves locators only outside collections. */
export function unwrapLocator(value: unknown): unknown {
	return isRecord(value) && '__rl' in value ? value.value : value;
}

const getStoredParameters = memoize((context: ParameterSource) =>
	asRecord(context.getNode?.().parameters),
);

/**
 * Values that are the same for all items of an execution. n8n resolves, checks and copies each parameter for every
 * item, which takes longer than a small request if a node has many operations.
 */
const getStaticValues = memoize<
	ParameterSource,
	(properties: readonly INodeProperties[]) => Map<string, unknown>
>(() => memoize(() => new Map()));

/** n8n evaluates every text that begins with `=` as an expression, also in objects and lists. */
function hasExpression(value: unknown) {
	if (typeof value === 'string') return value.startsWith('=');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasExpression);
}

/** A field as errors and checks see it. */
export interface Field {
	/** The label in the editor. */
	label: string;
	/** Range of a number. Default: any. */
	range?: NumberRange;
	/** Whether a number is truncated: expressions often return a fraction, and servers reject it. */
	isInteger?: boolean;
	/** Values of a choice. */
	choices?: readonly unknown[];
}

const MAX_QUOTED_LENGTH = 100;

/**
 * A field of a node's description.
 *
 * @param path - Names from the outside in: `timeout`, `options.timeout`, `files.file.source`.
 */
export function findField(properties: readonly INodeProperties[], path: string): DescribedField {
	const fields = fieldCache(properties);
	const field = fields.get(path) ?? readField(properties, path);
	fields.set(path, field);
	return field;
}

type DescribedField = Field & { property: INodeProperties };

const fieldCache = memoize<readonly INodeProperties[], Map<string, DescribedField>>(
	() => new Map(),
);

function readField(properties: readonly INodeProperties[], path: string): DescribedField {
	const sameNamed = findProperties(properties, path.split('.'));
	const [property] = sameNamed;
	if (property === undefined) throw new Error(`The node has no field ${path}`);
	const { minValue = -Infinity, maxValue = Infinity, numberPrecision } = property.typeOptions ?? {};
	return {
		property,
		label: property.displayName,
		range: [minValue, maxValue],
		isInteger: numberPrecision === 0,
		// The same field may occur more than once, for example with other choices for each resource.
		choices: [
			...new Set(
				sameNamed.flatMap(({ options = [] }) =>
					options.flatMap((option) => ('value' in option ? [option.value] : [])),
				),
			),
		],
	};
}

function findProperties(
	properties: readonly INodeProperties[],
	[name, ...rest]: string[],
): INodeProperties[] {
	const sameNamed = properties.filter((property) => property.name === name);
	if (rest.length === 0) return sameNamed;
	return sameNamed.flatMap(({ type, options = [] }) => {
		if (type === 'collection') return findProperties(options as INodeProperties[], rest);
		const group = (options as INodePropertyCollection[]).find(({ name }) => name === rest[0]);
		return findProperties(group?.values ?? [], rest.slice(1));
	});
}

/** @throws a `ServerError` of type `invalidInput` naming the field, as all of these functions do. */
export function asNumber(
	{ label, range = ANY_NUMBER, isInteger = false }: Field,
	value: unknown,
): number {
	const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
	const number = isNumeric ? Number(value) : NaN;
	if (!isInRange(number, range)) throw createExpectedError(label, formatRange(range), value);
	return isInteger ? Math.trunc(number) : number;
}

/** A boolean, also from the texts and numbers that forms and tables use. */
export function asBoolean({ label }: Field, value: unknown): boolean {
	const boolean = parseBoolean(value);
	if (boolean === undefined) throw createExpectedError(label, 'true or false', value);
	return boolean;
}

/** A choice. Others are an error: they would silently mean the default. */
export function asChoice<T extends string>({ label, choices = [] }: Field, value: unknown): T {
	if (!choices.includes(value))
		throw createExpectedError(label, `one of ${choices.join(', ')}`, value);
	return value as T;
}

/** A text; numbers are converted, since an expression returns a name of digits as a number. */
export function asText({ label }: Field, value: unknown): string {
	if (typeof value !== 'string' && typeof value !== 'number')
		throw createExpectedError(label, 'a text', value);
	return String(value);
}

/** An object, or JSON text of one. */
export function asObject({ label }: Field, value: unknown): JsonRecord {
	const parsed = typeof value === 'string' ? parseFieldJson(label, value) : value;
	if (!isRecord(parsed)) throw createValueError(label, 'must be a JSON object', value);
	return parsed;
}

/** The same, to send it. */
export function asObjectToSend(field: Field, value: unknown): JsonRecord {
	const parsed = asObject(field, value);
	return typeof value === 'string' ? asRecord(parseJsonToSend(value) ?? parsed) : parsed;
}

function parseFieldJson(label: string, text: string) {
	if (isDeepText(text)) throw createFieldError(label, `is nested deeper than ${MAX_DEPTH} levels`);
	try {
		return JSON.parse(text.trim() === '' ? '{}' : text) as unknown;
	} catch (error) {
		throw createFieldError(label, `is not valid JSON: ${getErrorMessage(error)}`);
	}
}

function createExpectedError(label: string, expected: string, value: unknown) {
	return createValueError(label, `must be ${expected}, but is ${quoteValue(value)}`, value);
}

/** An expression that returned nothing has no value. */
function createValueError(label: string, problem: string, value: unknown) {
	return createFieldError(label, problem).copyWith({
		inputProblem: isUnset(value) ? 'empty' : 'wrong',
	});
}

/** @param problem - Continues the sentence after the field: "must be a text". */
export function createFieldError(label: string, problem: string, suggestion?: string): ServerError {
	return createInputError(
		`The field "${label}" ${problem}`,
		suggestion ?? 'Correct the field in the node.',
		{ field: label, inputProblem: 'wrong', hasPlainAdvice: suggestion === undefined },
	);
}

/** @param problem - Continues the sentence after the option: "must be at least 1". */
export function createOptionError({ label }: Field, problem: string): ServerError {
	return createInputError(`The option "${label}" ${problem}`, 'Correct the option in the node.', {
		field: label,
		inputProblem: 'wrong',
		hasPlainAdvice: true,
	});
}

/** The error of a field that needs a value. */
export function createEmptyFieldError(label: string, suggestion?: string): ServerError {
	return createInputError(
		`The field "${label}" is empty`,
		suggestion ?? 'Enter a value, or correct the expression.',
		{ field: label, inputProblem: 'empty', hasPlainAdvice: suggestion === undefined },
	);
}

/** A value as an error quotes it: JSON, truncated if it is long. */
export function quoteValue(value: unknown): string {
	// Some values have no JSON form: circular ones, for example.
	return truncate(tryOrUndefined(() => JSON.stringify(value)) ?? String(value), MAX_QUOTED_LENGTH);
}
