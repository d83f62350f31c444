/** Explains a rejected value or field by the label of its option, with the limit that the server named. */
import { removeEchoes } from '../errors/echoes';
import type { ErrorType } from '../errors/error-types';
import { isUnknownError } from '../errors/error-types';
import { toTitle } from '../errors/message-title';
import type { FieldIssue, RejectionText } from '../errors/rejected-fields';
import { findMentions, readFieldIssues } from '../errors/rejected-fields';
import type { ServerError } from '../errors/server-error';
import type {
	ChoicesLimit,
	KindLimit,
	LengthLimit,
	RangeLimit,
	ValueLimit,
} from '../errors/value-limits';
import { getLength, parseValueLimit } from '../errors/value-limits';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, isRecord, isUnset } from '../values/records';
import { collectTexts, toText, truncate } from '../values/text';
import type { NamedField, RequestField, RequestFields } from './request-fields';
import { findField, getLabel, getSentFields, getSentValue } from './request-fields';
import { findSentenceSubjects } from './sentence-subject';

/** Types that a server's words about a value may look like. */
const MISTAKEN_TYPES: readonly ErrorType[] = [
	'fileUnreadable',
	'modalityUnsupported',
	'promptTooLong',
	'grammarRejected',
	'featureDisabled',
	'requestTooLarge',
	'tooManyFiles',
];

/** Values with which servers reject what a body contains; 200 for an error inside a response. */
const FIRST_ERROR_STATUS = 400;

/** A field that the server rejected. */
interface RejectedField {
	field: NamedField;
	/** Undefined: the operation sets the field itself. */
	label: string | undefined;
	limit: ValueLimit | undefined;
	value: unknown;
	issue: FieldIssue;
}

/** An explained error. */
export interface ExplainedRejection {
	error: ServerError;
	/** Whether it says what the server accepts, so that nothing else can say it better. */
	isComplete: boolean;
}

/**
 * Explains the error of a request with a value that the server rejects.
 *
 * @param body - As sent.
 * @returns undefined for an error that is about something else
 */
export function explainRejection(
	error: ServerError,
	fields: RequestFields,
	body: JsonRecord,
): ExplainedRejection | undefined {
	const { type, status = FIRST_ERROR_STATUS, serverText = '' } = error;
	const canBeAboutField = isUnknownError(type) || MISTAKEN_TYPES.includes(type);
	if (type === 'promptTooLong' && isAboutContext(error, body)) return undefined;
	if (!canBeAboutField || status < FIRST_ERROR_STATUS || serverText === '') return undefined;
	const message = removeEchoes(serverText, collectTexts(Object.values(body)));
	const param = asNonEmptyString(error.facts.param);
	const issues = readFieldIssues({ message, param }, getSentFields(fields, body));
	const rejected = selectFields(issues, fields, body);
	const others = () => [
		...findSubjectFields(message, fields, body),
		...findLongText(message, fields, body),
	];
	const all = (rejected.length > 0 ? rejected : others().slice(0, 1)).filter(
		({ limit, issue }) =>
			isUnknownError(type) ||
			(limit !== undefined && (issue.isStructured || type === 'promptTooLong')),
	);
	const labelled = all.filter(({ label }) => label !== undefined).slice(0, MAX_FIELDS);
	if (labelled.length > 0) return describeFields(error, labelled);
	if (type !== 'badRequest') return undefined;
	const [own] = all;
	const suggestion = own?.issue.isStructured
		? describeOwnField(own.field)
		: (suggestExtraFields(message, fields.extraBody) ??
			suggestMissingField({ message, param }, fields));
	return suggestion === undefined
		? undefined
		: { error: error.withSuggestion(suggestion), isComplete: false };
}

/** What to change if a message, in words of its own, contains names of Extra Body: that is what differs from other requests. */
function suggestExtraFields(message: string, extraBody: JsonRecord = {}): string | undefined {
	const mentions = new Set(findMentions(message, [...new Set(collectNames(extraBody))]));
	const places = Object.entries(extraBody).flatMap(([name, value]) => {
		if (mentions.has(name)) return [name];
		const innerName = collectNames(value).find((inner) => mentions.has(inner));
		return innerName === undefined ? [] : [`${name} (${innerName})`];
	});
	if (places.length === 0) return undefined;
	return `Change ${places.slice(0, MAX_FIELDS).join(' or ')} in "Extra Body".`;
}

/** `chunking_strategy is required for diarization models`, `body.reference_id: Field required` */
const MISSING_FIELD =
	/(?:^|[.:;=] {0,2}|\bbody\.)['"`]?([a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40}){0,6})['"`]?(?: is (?:a )?required| (?:must be|is not|was not) (?:provided|specified|set)| is missing|: (?:field|this field is) required)\b|\bmissing (?:the )?(?:required )?(?:field|parameter|argument|property):? ['"`]?([a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40}){0,6})\b/i;

/** Files are sent in forms, not in Extra Body. */
const FILE_FIELD = /^(?:file|image|audio|video|mask)$|_(?:file|image|audio|video)$/;

/** What to add if a server requires a field that the operation does not send. Only operations with Extra Body can add it. */
function suggestMissingField(
	{ message, param }: RejectionText,
	{ rows, extraBody }: RequestFields,
): string | undefined {
	if (extraBody === undefined) return undefined;
	const [, before, after] = MISSING_FIELD.exec(message) ?? [];
	const name = before ?? after;
	if (name === undefined || FILE_FIELD.test(name)) return undefined;
	// An ordinary word may be about anything, unless the place names it.
	if (!name.includes('_') && name !== param) return undefined;
	if (findField({ rows, extraBody }, [name])) return undefined;
	return `Add the field "${name}" to "Extra Body": the documentation of the server lists its values.`;
}

/** The names inside of a value, those outside first. */
function collectNames(value: unknown): string[] {
	if (Array.isArray(value)) return value.flatMap(collectNames);
	if (!isRecord(value)) return [];
	return [...Object.keys(value), ...Object.values(value).flatMap(collectNames)];
}

/** Prompt and response share the context, so that a limit of one of them is not the limit of its option. */
function isAboutContext({ serverText = '', facts }: ServerError, body: JsonRecord): boolean {
	const isCounted = facts.n_prompt_tokens !== undefined && /\btokens?\b/i.test(serverText);
	// vLLM: what the prompt leaves for the response, which nobody sent.
	const computed = /\bgot (-\d{1,9})\b/.exec(serverText)?.[1];
	const isComputed = computed !== undefined && !Object.values(body).includes(Number(computed));
	return isCounted || isComputed || /\bcontext\b/i.test(serverText);
}

/** Fields that one error names. */
const MAX_FIELDS = 3;

/** Each field once: what a place says about it, otherwise what a sentence says. */
function selectFields(
	issues: readonly FieldIssue[],
	fields: RequestFields,
	body: JsonRecord,
): RejectedField[] {
	const rejected = new Map<string, RejectedField>();
	const hasPlace = issues.some(
		({ isStructured, path }) => isStructured && findField(fields, path) !== undefined,
	);
	for (const issue of issues) {
		const field = findField(fields, issue.path);
		// Beside a place, a sentence may mention other fields.
		if (!field || (hasPlace && !issue.isStructured)) continue;
		const value = selectEntry(getSentValue(field, body), issue);
		const isPart = issue.isInside === true || field.row?.parts?.includes(field.name) === true;
		const limit = isPart ? undefined : parseValueLimit(issue.text, value);
		const key = getLabel(field) ?? field.name;
		const known = rejected.get(key);
		if (known && (known.limit !== undefined || limit === undefined)) continue;
		rejected.set(key, { field, label: getLabel(field), limit, value, issue });
	}
	return [...rejected.values()].filter(
		({ field, limit, issue }) =>
			issue.isStructured ||
			(limit !== undefined &&
				!isVague(limit) &&
				limit.type !== 'unsupportedField' &&
				!isAboutTasks(field, limit, issue)),
	);
}

/** Infinity: "model=`…` does not support `embed`. … options are {'rerank'}", which are no models. */
function isAboutTasks({ row }: NamedField, { type }: ValueLimit, { text }: FieldIssue): boolean {
	return row?.field === 'model' && type === 'choices' && !/\bmodels\b/i.test(text);
}

/** For an issue about an entry of a list: the entry, or the longest if it is about a length. */
function selectEntry(value: unknown, { path, text }: FieldIssue): unknown {
	if (!Array.isArray(value)) return value;
	const index = path.findIndex((segment) => /^\[?\d+\]?$/.test(segment));
	const entry: unknown = value[Number(path[index]?.replace(/\D/g, ''))];
	if (entry !== undefined) return entry;
	// "of type string" is about the list itself (Go).
	const isAboutLength = /\b(?:string|characters?|chars)\b/i.test(text);
	return isAboutLength && !/\bof type \S{1,60}$/.test(text) ? getLongest(value) : value;
}

function getLongest(values: readonly unknown[]): unknown {
	return [...values].sort((a, b) => (getLength(b) ?? 0) - (getLength(a) ?? 0))[0];
}

/** A sentence about a field, in words of people: those with a limit that the value does not keep first. */
function findSubjectFields(
	message: string,
	fields: RequestFields,
	body: JsonRecord,
): RejectedField[] {
	const found = findSentenceSubjects(message, fields, body).flatMap(
		({ field, text, isExact, isRejectedValue }): RejectedField[] => {
			const value = getSentValue(field, body);
			const entry = selectEntry(value, { path: [field.name], text, isStructured: false });
			if (entry === undefined) return [];
			const limit = parseValueLimit(text, entry);
			const isComplete = limit !== undefined && !isVague(limit);
			// A number keeps the limit that its sentence names, so the sentence is about something else.
			const isDemand =
				isExact &&
				(isRejectedValue || (typeof entry !== 'number' && /\b(?:must|should)\b/i.test(text)));
			if (limit?.type === 'unsupportedField' || !(isComplete || isDemand)) return [];
			const issue = { path: [field.name], text, isStructured: isExact && isComplete };
			return [{ field, label: getLabel(field), limit, value: entry, issue }];
		},
	);
	const isLimited = ({ limit }: RejectedField) => limit !== undefined && !isVague(limit);
	return [...found.filter(isLimited), ...found.filter((field) => !isLimited(field))];
}

/** A message about the length of the text that is sent, in other words than the name of its field. */
function findLongText(message: string, { rows }: RequestFields, body: JsonRecord): RejectedField[] {
	const isAboutText = /\b(?:text|input|prompt|string|query|document)s?\b/i.test(message);
	if (!isAboutText || !/\b(?:characters?|chars)\b/i.test(message)) return [];
	return rows
		.flatMap((row): RejectedField[] => {
			if (row.noun === undefined) return [];
			const field = { name: row.field, row };
			const value = [getSentValue(field, body)].flat();
			const longest = getLongest(value);
			const limit = parseValueLimit(message, longest);
			if (limit?.type !== 'length' || limit.max === undefined) return [];
			const issue = { path: [row.field], text: message, isStructured: false };
			return [{ field, label: row.label, limit, value: longest, issue }];
		})
		.slice(0, 1);
}

function describeFields(error: ServerError, fields: readonly RejectedField[]): ExplainedRejection {
	const labels = fields.map(({ label = '' }) => label);
	const isComplete = fields.every(({ limit }) => limit !== undefined && !isVague(limit));
	return {
		isComplete,
		error: error.copyWith({
			type: 'badRequest',
			title: truncate(fields.map(toTitleOfField).join('; '), MAX_TITLE_LENGTH),
			detail: fields.map(toDetail).join('; '),
			suggestion: fields.map(toSuggestion).join(' '),
			facts: { ...error.facts, ...(isComplete && { rejectedOptions: labels }) },
		}),
	};
}

/** Whether a task may know more: which voices or languages there are, for example. */
function isVague({ type }: ValueLimit): boolean {
	return type === 'required' || type === 'unsupportedValue';
}

/** Whether a sentence names the value, which is then what it is about. */
function isNamed(value: unknown, text: string): boolean {
	if (typeof value !== 'string' && typeof value !== 'number') return false;
	const word = String(value);
	return word !== '' && word.length <= MAX_QUOTED_VALUE && text.includes(word);
}

/** Whether an error names the option whose value the server rejects. */
export function isExplainedRejection({ facts }: ServerError): boolean {
	return facts.rejectedOptions !== undefined;
}

/** Characters. */
const MAX_TITLE_LENGTH = 200;

function toTitleOfField({ field, label = '', limit, value, issue }: RejectedField): string {
	const isOfValue = limit?.type === 'unsupportedValue';
	if (limit === undefined || (isOfValue && !isNamed(value, issue.text))) {
		const title = toTitle(issue.text.replace(/^(?:field |option )?['"`]?[\w.]{1,80}['"`]?: /i, ''));
		return title ? `${label}: ${title}` : `The server rejected the option ${label}`;
	}
	switch (limit.type) {
		case 'length':
			return describeLength(label, field.row, limit);
		case 'required':
			return `The server requires the option ${label}`;
		case 'unsupportedField':
			return `The server rejects the option ${label}`;
		case 'unsupportedValue':
			return `${label}: the server does not support ${quote(value)}`;
		case 'kind':
			return `${label}: must be ${limit.kind}`;
		default: {
			const noun = limit.type === 'choices' ? field.row?.valueNoun : undefined;
			return noun !== undefined && !isUnset(value)
				? `The server does not support the ${noun} ${quote(value)}`
				: `${label}: ${describeLimit(limit)}`;
		}
	}
}

function toDetail(field: RejectedField): string {
	const title = toTitleOfField(field);
	const type = field.limit?.type;
	const isValueShown = type === 'range' || type === 'choices' || type === 'kind';
	return isValueShown && field.value !== undefined
		? `${title}, but the request contains ${quote(field.value)}`
		: title;
}

/** A limit that a title states after the label. */
type NamedLimit = RangeLimit | ChoicesLimit | KindLimit;

/** What is allowed, after "at" or "set to". */
function describeLimit(limit: NamedLimit): string {
	if (limit.type === 'kind') return limit.kind;
	if (limit.type === 'range') return describeRange(limit);
	const { values } = limit;
	if (values.length === 1) return `only ${values[0]}`;
	const shown = values.slice(0, MAX_SHOWN_VALUES).join(', ');
	const rest = values.length - MAX_SHOWN_VALUES;
	return `one of ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const MAX_SHOWN_VALUES = 12;

function describeRange({ min, max, isMinExclusive, isMaxExclusive }: RangeLimit): string {
	const isInclusive = isMinExclusive !== true && isMaxExclusive !== true;
	if (min !== undefined && max !== undefined && isInclusive)
		return `between ${format(min)} and ${format(max)}`;
	const lower =
		min === undefined ? [] : [`${isMinExclusive ? 'more than' : 'at least'} ${format(min)}`];
	const upper =
		max === undefined ? [] : [`${isMaxExclusive ? 'less than' : 'at most'} ${format(max)}`];
	return [...lower, ...upper].join(' and ');
}

function describeLength(
	label: string,
	{ noun, countLabel }: Partial<RequestField> = {},
	limit: LengthLimit,
): string {
	const { min, max, sent, unit } = limit;
	if (unit === 'entries' && max !== undefined && countLabel !== undefined)
		return `${countLabel}: at most ${format(max)}`;
	if (noun === undefined || unit === 'entries') {
		const bound = max === undefined ? `at least ${format(min ?? 0)}` : `at most ${format(max)}`;
		return `${label}: ${bound} ${(max ?? min) === 1 ? SINGULAR[unit] : unit} (${format(sent)} sent)`;
	}
	return max === undefined
		? `The ${noun} is too short for the server (${format(sent)} of ${format(min ?? 0)} ${unit})`
		: `The ${noun} is too long for the server (${format(sent)} of ${format(max)} ${unit})`;
}

const SINGULAR = { characters: 'character', entries: 'entry' } as const;

function format(value: number): string {
	return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** A value as the request contains it. */
function quote(value: unknown): string {
	if (value === undefined || value === '') return 'this value';
	const text = truncate(toText(value), MAX_QUOTED_VALUE);
	return typeof value === 'number' || typeof value === 'boolean' ? text : `"${text}"`;
}

const MAX_QUOTED_VALUE = 60;

function toSuggestion(rejected: RejectedField): string {
	const { field, label = '', limit } = rejected;
	const { row, name } = field;
	if (limit?.type === 'choices' && row?.valueNoun !== undefined)
		return `Set the option ${label} to ${describeLimit(limit)}.`;
	const place = row ? `"${label}"` : `${name} in "Extra Body"`;
	if (limit === undefined) return suggestOtherValue(rejected, place);
	switch (limit.type) {
		case 'unsupportedValue':
			return suggestOtherValue(rejected, place);
		case 'length':
			return suggestLength(row, limit, place);
		case 'required':
			return `Fill in ${place}.`;
		case 'unsupportedField':
			return row && !row.canOmit
				? `This operation needs ${place}: use a server or a model that accepts it.`
				: `Remove ${row ? place : `${name} from "Extra Body"`}.`;
		default:
			return `Set ${place} to ${toTarget(limit)}.`;
	}
}

/** The server does not say which values it accepts. */
function suggestOtherValue({ field: { row }, label, limit }: RejectedField, place: string) {
	if (row?.accepted !== undefined) return `Set ${place} to ${row.accepted}.`;
	const isCount = row !== undefined && label === row.countLabel && limit === undefined;
	return `${isCount ? 'Lower' : 'Change'} ${place}.`;
}

function suggestLength(row: RequestField | undefined, { max, unit }: LengthLimit, place: string) {
	if (max === undefined) return `Enter more in ${place}.`;
	return unit === 'entries' && row?.countLabel !== undefined
		? `Set "${row.countLabel}" to at most ${format(max)}.`
		: (row?.shorten ?? `Shorten ${place}.`);
}

function toTarget(limit: NamedLimit): string {
	if (limit.type === 'choices')
		return limit.values.length === 1 ? limit.values[0]! : 'one of these values';
	return limit.type === 'range' && limit.min !== undefined && limit.max !== undefined
		? `a value ${describeLimit(limit)}`
		: describeLimit(limit);
}

function describeOwnField({ name }: NamedField): string {
	return `The node sets the field "${name}" itself, so no option changes it: the server or the model may not support this request.`;
}
