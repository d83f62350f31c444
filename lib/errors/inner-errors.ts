import { statusIn } from './named-status';
import { objectsIn } from './quoted-json';
import { isFilled, isRecord, type JsonRecord } from '../values';

export interface InnerError {
	json: JsonRecord;
	/** It stands in a text, which gateways write; a server has fields within fields, too. */
	isText: boolean;
}

/** Levels of objects, lists and texts. */
const MAX_LEVELS = 16;
/** Elements of a list, fields of an object. */
const MAX_ELEMENTS = 30;

/** Fields that repeat the request, whose texts are the user's. */
const ECHOES: ReadonlySet<string> = new Set(['input', 'messages', 'params', 'prompt', 'request']);

/** The errors inside a body, those of gateways before those that they hold. */
export function* errorsWithin(value: unknown, isText = false, level = 0): Generator<InnerError> {
	if (level > MAX_LEVELS) return;
	if (typeof value === 'string') {
		const isBare = value.trimStart().startsWith('{');
		for (const json of objectsIn(value)) {
			if (isError(json) || (isBare && typeof json.message === 'string'))
				yield { json, isText: true };
			yield* errorsWithin(json, true, level + 1);
		}
		return;
	}
	for (const part of partsOf(value).slice(0, MAX_ELEMENTS)) {
		if (isRecord(part) && isError(part)) yield { json: part, isText };
		yield* errorsWithin(part, isText, level + 1);
	}
}

function partsOf(value: unknown): unknown[] {
	if (Array.isArray(value)) return value;
	return isRecord(value) ? fieldsOf(value) : [];
}

/** The values in an object. Those of its error belong to it. */
function fieldsOf(record: JsonRecord): unknown[] {
	return Object.entries(record).flatMap(([key, value]) => {
		if (ECHOES.has(key)) return [];
		if (key !== 'error' && key !== 'detail') return [value];
		const own = key === 'detail' && isRecord(value) ? errorInDetail(value) : value;
		return isRecord(own) && isErrorField(own) ? fieldsOf(own) : [value];
	});
}

/** Kokoro-FastAPI, mlx-openai-server and lm-proxy put an error as OpenAI writes it into FastAPI's detail. */
export function errorInDetail(detail: JsonRecord): JsonRecord {
	return isRecord(detail.error) ? detail.error : detail;
}

/** Words around it may quote any JSON, such as that of the request. */
function isError({ error, detail, message, ...others }: JsonRecord): boolean {
	const isNamed = typeof message === 'string' && statusIn(others) !== undefined;
	return isNamed || isErrorField(error) || isErrorField(detail);
}

function isErrorField(error: unknown): boolean {
	return isRecord(error) ? isFilled(error.message) : typeof error === 'string' && error !== '';
}
