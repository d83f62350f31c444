import { DifyHttpError, isJson, missing, notFound, pydantic, type PydanticProblem } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import type { SimDataset, SimDocument, SimSegment } from './state';

/** The base in the path. Its API access is checked first. */
export function datasetOf(call: Call): SimDataset {
	const found = call.store.knowledge.datasets.get((call.ids[0] ?? '').toLowerCase());
	if (found === undefined) throw notFound('Dataset not found.');
	if (!found.apiEnabled)
		throw new DifyHttpError(403, 'forbidden', 'Dataset api access is not enabled.');
	return found;
}

/** @param text Dify's error text for a missing document on this route */
export function documentOf(
	call: Call,
	dataset: SimDataset,
	text = 'Document not found.',
): SimDocument {
	const found = dataset.documents.get((call.ids[1] ?? '').toLowerCase());
	if (found === undefined) throw notFound(text);
	return found;
}

export function segmentOf(call: Call, document: SimDocument): SimSegment {
	const found = document.segments.find(({ id }) => id === (call.ids[2] ?? '').toLowerCase());
	if (found === undefined) throw notFound('Segment not found.');
	return found;
}

/** 204 without a body; 1.12 sends 200 with a body of 204 instead. */
export function done(call: Call): void {
	call.reply(204, undefined);
}

export function textProblem(
	field: string,
	value: unknown,
	most: number,
): PydanticProblem | undefined {
	if (typeof value !== 'string')
		return { field, text: 'Input should be a valid string', type: 'string_type', input: value };
	if ([...value].length <= most) return undefined;
	return {
		field,
		text: `String should have at most ${most} characters`,
		type: 'string_too_long',
		input: value,
	};
}

/** Requires a text of at most `most` characters. */
export function requireText(model: string, field: string, payload: Json, most = Infinity): string {
	if (!(field in payload)) throw pydantic(model, [missing(field, payload)]);
	const problem = textProblem(field, payload[field], most);
	if (problem !== undefined) throw pydantic(model, [problem]);
	return payload[field] as string;
}

export function oneOf(
	model: string,
	field: string,
	value: unknown,
	words: readonly string[],
	type = 'enum',
): void {
	if (words.includes(value as string)) return;
	const quoted = words.map((word) => `'${word}'`);
	const text = `Input should be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
	throw pydantic(model, [{ field, text, type, input: value }]);
}

/** An integer in the query. */
function intOf(call: Call, model: string, name: string, usual: number): number {
	const sentText = call.query.get(name);
	if (sentText === null) return usual;
	if (/^-?\d+$/.test(sentText)) return Number(sentText);
	const text = 'Input should be a valid integer, unable to parse string as an integer';
	throw pydantic(model, [{ field: name, text, type: 'int_parsing', input: sentText }]);
}

/** One page of a list with page numbers. The limit is capped, and `has_more` means that the page is full. */
export function paged<T>(call: Call, model: string, all: readonly T[]): { page: T[]; frame: Json } {
	const limit = intOf(call, model, 'limit', 20);
	const page = intOf(call, model, 'page', 1);
	// Zero or less means the default size.
	const size = limit > 0 ? Math.min(limit, 100) : 20;
	const at = (Math.max(1, page) - 1) * size;
	const found = all.slice(at, at + size);
	return {
		page: found,
		frame: { has_more: found.length === limit, limit, total: all.length, page },
	};
}

/** Checks the retrieval settings in a body; all their fields are required. */
export function checkRetrievalModel(model: string, value: unknown): void {
	if (value === undefined || value === null) return;
	const record = isJson(value) ? value : {};
	const parts = ['search_method', 'reranking_enable', 'top_k', 'score_threshold_enabled'];
	const problems = parts
		.filter((part) => !(part in record))
		.map((part) => missing(`retrieval_model.${part}`, record))
		.map((problem) => ({ ...problem, input: record }));
	if (problems.length > 0) throw pydantic(model, problems);
}
