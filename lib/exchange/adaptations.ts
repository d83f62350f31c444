/** The adaptations of single rejections: what each changes before the request is sent again. */
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import { isRecord, asRecord } from '../values/records';
import { getOwn } from '../values/own-properties';
import { omitFields, withoutFields } from './body-changes';
import type { Adaptation } from './find-changes';
import type { Rejection } from './rejection';

/** A format that the server cannot build is rejected before anything is generated, also with 5xx. */
const FORMAT_STATUSES: readonly number[] = [400, 422, 500, 501];

/** Whether a response is about the format of the answer, and not about what the request contains. */
export function isAboutFormat(rejection: Rejection): boolean {
	return (
		FORMAT_STATUSES.includes(rejection.status) &&
		rejection.saysOnly('schema', ['tools', 'image', 'audio'])
	);
}

/** The rejected format in its other form: with the schema, or as any JSON (LM Studio; Ollama has both). */
export const changeFormat: Adaptation = (rejection, body) =>
	isAboutFormat(rejection) ? findOtherFormat(body) : undefined;

/** Only for requests whose prompt contains the schema. */
export const omitFormat: Adaptation = (rejection, body) =>
	isAboutFormat(rejection) && FORMAT_FIELDS.some((name) => Object.hasOwn(body, name))
		? {
				...omitFields(FORMAT_FIELDS),
				supersedes: OTHER_FORMAT,
				warning:
					'This server rejects the response format, so it was omitted. The node checked the answer against the schema.',
			}
		: undefined;

const FORMAT_FIELDS = ['response_format', 'format'];

/** Any object: for servers that support only schemas. */
const ANY_OBJECT = { name: 'answer', schema: { type: 'object' } };

/** Of both changes, so that a request has one of them only. */
const OTHER_FORMAT = 'JSON format in its other form';

const WITH_SCHEMA: BodyChange = {
	name: OTHER_FORMAT,
	warning:
		'This server rejects the response format JSON without a schema, so it got a schema that allows any object.',
	apply: (body) => {
		if (body.format === 'json') return { ...body, format: ANY_OBJECT.schema };
		if (asRecord(body.response_format).type !== 'json_object') return body;
		return { ...body, response_format: { type: 'json_schema', json_schema: ANY_OBJECT } };
	},
};

const WITHOUT_SCHEMA: BodyChange = {
	name: OTHER_FORMAT,
	warning:
		'This server rejects the schema as response format, so any JSON was requested. The node checked the answer against the schema.',
	apply: (body) => {
		if (isRecord(body.format)) return { ...body, format: 'json' };
		if (asRecord(body.response_format).type !== 'json_schema') return body;
		return { ...body, response_format: { type: 'json_object' } };
	},
};

function findOtherFormat(body: JsonRecord): BodyChange | undefined {
	return [WITH_SCHEMA, WITHOUT_SCHEMA].find(({ apply }) => apply(body) !== body);
}

/** For output that ran away: the JSON format in its other form, with the schema or without it. */
export function toOtherFormat(body: JsonRecord): BodyChange | undefined {
	const change = findOtherFormat(body);
	return change && { name: OTHER_FORMAT, apply: change.apply };
}

/** Fields that turn thinking on or off, or set how long it is. */
const THINKING_FIELDS = ['think', 'reasoning_effort'];

/** The setting of the thinking is refused: by the word, or by the value that was sent (Ollama: only gpt-oss has levels). */
export const changeThinking: Adaptation = (rejection, body) => {
	const field = THINKING_FIELDS.find((name) => Object.hasOwn(body, name));
	if (field === undefined) return undefined;
	const value = String(getOwn(body, field));
	const isValueNamed = rejection.names(value);
	const isAbout = rejection.says('thinking') || rejection.names(field);
	if (!isAbout || !(isValueNamed || rejection.says('thinking', 'unsupported'))) return undefined;
	const nearest = isValueNamed ? NEAREST_EFFORTS.get(value) : undefined;
	return nearest === undefined ? withoutThinking(field) : toEffort(field, value, nearest);
};

/** Efforts that servers had first, by those that were added at both ends. */
const NEAREST_EFFORTS: ReadonlyMap<string, string> = new Map([
	['minimal', 'low'],
	['xhigh', 'high'],
	['max', 'high'],
]);

function withoutThinking(field: string): BodyChange {
	return {
		name: 'without thinking',
		apply: (body) => withoutFields(body, [field]),
		warning:
			'This model does not support the setting Thinking, so it was omitted. Choose a model that does ("ollama show NAME" lists "thinking" under its capabilities; most know it only as on or off), or set Thinking to Server Default.',
	};
}

function toEffort(field: string, value: string, nearest: string): BodyChange {
	return {
		name: `${nearest} thinking`,
		apply: (body) => (getOwn(body, field) === value ? { ...body, [field]: nearest } : body),
		warning: `This server does not support the thinking effort "${value}", so "${nearest}" was used.`,
	};
}
