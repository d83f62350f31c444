/**
 * The check of a value, which an expression may return with any type. All of these functions throw a `ServerError` of type
 * `invalidInput` that names the field.
 */
import { LONG_TEXT_SUGGESTION, findLengthProblem } from '../errors/text-limits';
import { formatMegabytes } from '../values/size';
import { JsonMemory } from '../json-memory';
import { MAX_FIELD_VALUES } from '../task-limits';
import { parseJsonToSend } from '../values/exact-json';
import { MAX_DEPTH, isDeepText } from '../values/json';
import type { NumberRange } from '../values/numbers';
import { formatRange, isInRange } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import { asRecord, isRecord, isUnset } from '../values/records';
import { getErrorMessage, parseBoolean } from '../values/text';
import type {
	Choices,
	ChoicesField,
	LocatorField,
	NameField,
	NumberField,
	SecondsField,
	TextField,
	ValueField,
} from './field';
import type { Labelled } from './field-errors';
import {
	createEmptyFieldError,
	createExpectedError,
	createFieldError,
	createValueError,
} from './field-errors';

/** For a value that may be of any type: the field's `parse`. */
export function keepAny(value: unknown): unknown {
	return value;
}

/** The value of a field by its kind. An empty text is a value; other kinds need one. */
export function checkValue(field: ValueField, value: unknown): unknown {
	switch (field.kind) {
		case 'number':
			return checkNumber(field, value);
		case 'seconds':
			return Math.round(checkNumber({ range: [0], ...field }, value) * 1000);
		case 'switch':
			return checkSwitch(field, value);
		case 'choice':
			return checkChoice(field, value);
		case 'choices':
			return checkChoices(field, value);
		case 'json':
			return checkObjectToSend(field, value);
		case 'texts':
		case 'loadedChoices':
			return checkTexts(field, value);
		case 'name':
		case 'locator':
			return checkName(field, value);
		case 'text':
		case 'time':
			return checkText(field, value);
	}
}

/** A number in the range of the field; whole if the field is. */
export function checkNumber(
	field: Labelled & Pick<NumberField | SecondsField, 'range'> & Pick<NumberField, 'isInteger'>,
	value: unknown,
): number {
	const { range: [min = -Infinity, max = Infinity] = [], isInteger = false } = field;
	const range: NumberRange = [min, max];
	const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
	const number = isNumeric ? Number(value) : NaN;
	if (!isInRange(number, range)) throw createExpectedError(field, formatRange(range), value);
	return isInteger ? Math.trunc(number) : number;
}

/** A switch, also from the texts and numbers that forms and tables use. */
function checkSwitch(field: Labelled, value: unknown) {
	const boolean = parseBoolean(value);
	if (boolean === undefined) throw createExpectedError(field, 'true or false', value);
	return boolean;
}

/** One of the choices. Others are an error: they would silently mean the default. */
export function checkChoice<C extends Choices>(
	field: Labelled & { choices: C },
	value: unknown,
): Extract<keyof C, string> {
	if (typeof value === 'string' && Object.hasOwn(field.choices, value))
		return value as Extract<keyof C, string>;
	const expected = `one of ${Object.keys(field.choices).join(', ')}`;
	throw createExpectedError(field, expected, value);
}

function checkChoices(field: ChoicesField, value: unknown) {
	const selected = [value]
		.flat()
		.filter((entry) => !isUnset(entry))
		.map((entry) => checkChoice(field, entry));
	if (field.required && selected.length === 0) throw createEmptyFieldError(field, field.whenEmpty);
	return selected;
}

function checkTexts(field: Labelled, value: unknown) {
	const texts = [value].flat(2).filter((text) => !isUnset(text));
	return texts.map((text) => checkPlainText(field, text));
}

/** A name, an ID or another short text, without spaces around it. A number is one, since an expression returns digits as such. */
function checkName(field: NameField | LocatorField, value: unknown) {
	const name = toName(field, value);
	if (field.required && name === '') throw createEmptyFieldError(field, field.whenEmpty);
	return name;
}

/** A text or a number without spaces around it; nothing is an empty one. */
export function toName(field: Labelled, value: unknown): string {
	return isUnset(value) ? '' : checkPlainText(field, value).trim();
}

/** A text or a number, as text. */
export function checkPlainText(field: Labelled, value: unknown): string {
	if (typeof value !== 'string' && typeof value !== 'number')
		throw createExpectedError(field, 'a text', value);
	return String(value);
}

/** A text as it was written; numbers and objects become text. */
function checkText(field: Labelled & Pick<TextField, 'required' | 'whenEmpty'>, value: unknown) {
	const text = toWrittenText(field, value);
	if (field.required && text.trim() === '') throw createEmptyFieldError(field, field.whenEmpty);
	return text;
}

/** Any value as text, which is not too long: nothing is an empty one, and an object becomes JSON. */
export function toWrittenText(field: Labelled, value: unknown): string {
	if (isUnset(value)) return '';
	if (typeof value !== 'object') return String(value);
	const text = JSON.stringify(value);
	assertSendable({ label: field.label, kind: 'text' }, text);
	return text;
}

/** A JSON object, or JSON text of one. */
export function checkObject(field: Labelled, value: unknown): JsonRecord {
	const parsed = typeof value === 'string' ? parseFieldJson(field, value) : value;
	if (!isRecord(parsed)) throw createValueError(field, 'must be a JSON object', value);
	return parsed;
}

/** The same to send it: numbers that JavaScript cannot represent keep their digits. */
export function checkObjectToSend(field: Labelled, value: unknown): JsonRecord {
	const parsed = checkObject(field, value);
	return typeof value === 'string' ? asRecord(parseJsonToSend(value) ?? parsed) : parsed;
}

function parseFieldJson(field: Labelled, text: string) {
	if (isDeepText(text)) throw createFieldError(field, `is nested deeper than ${MAX_DEPTH} levels`);
	try {
		return JSON.parse(text.trim() === '' ? '{}' : text) as unknown;
	} catch (error) {
		throw createFieldError(field, `is not valid JSON: ${getErrorMessage(error)}`);
	}
}

/** Characters: shorter texts are within all limits. */
const MIN_COUNTED_LENGTH = 128 * 1024;

/** Refuses a text that is too long to send, and JSON with so many values that n8n would wait while it is read. */
export function assertSendable(field: Labelled & Pick<ValueField, 'kind'>, value: unknown): void {
	const isJson = field.kind === 'json';
	const isObject = typeof value === 'object' && value !== null;
	if (isObject && isJson) assertFewValues(field, JSON.stringify(value));
	if (typeof value !== 'string' || value.length < MIN_COUNTED_LENGTH) return;
	if (isJson) assertFewValues(field, value);
	else assertTextLength(field, value);
}

/** Refuses a text that is too long to send. */
export function assertTextLength(field: Labelled, text: string): void {
	const problem = findLengthProblem(text);
	if (problem !== undefined) throw createFieldError(field, problem, LONG_TEXT_SUGGESTION);
}

/** JSON may contain files, so only its values are counted. */
function assertFewValues(field: Labelled, json: string) {
	const memory = new JsonMemory();
	memory.add(json);
	if (memory.bytes <= MAX_FIELD_VALUES) return;
	throw createFieldError(
		field,
		`has so many values that they would take more than ${formatMegabytes(MAX_FIELD_VALUES)} of memory`,
		LONG_TEXT_SUGGESTION,
	);
}
