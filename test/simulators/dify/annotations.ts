import { missing, notFound, pydantic } from './http';
import { limitOf } from './records';
import type { Call } from './store';

/** Annotations of an app (docs/protocols/dify.md 2.12). */

const LARGEST_PAGE = 100;
const USUAL_PAGE = 20;

function pageNumber({ query }: Call, name: string, usual: number): number {
	return limitOf(query, { model: 'AnnotationListQuery', most: Infinity, usual }, name);
}

export function listAnnotations(call: Call): void {
	const { app, query } = call;
	const page = pageNumber(call, 'page', 1);
	const limit = pageNumber(call, 'limit', USUAL_PAGE);
	const keyword = (query.get('keyword') ?? '').toLowerCase();
	const all = app.annotations
		.filter((each) => `${each.question}\n${each.answer}`.toLowerCase().includes(keyword))
		.toSorted((one, other) => other.created_at - one.created_at || (one.id < other.id ? 1 : -1));
	const size = Math.min(limit < 1 ? USUAL_PAGE : limit, LARGEST_PAGE);
	const start = (Math.max(page, 1) - 1) * size;
	const data = all.slice(start, start + size);
	call.reply(200, { data, has_more: data.length === limit, limit, total: all.length, page });
}

function annotationPayload(call: Call): { question: string; answer: string } {
	const { payload } = call;
	const problems = ['question', 'answer']
		.filter((name) => !(name in payload))
		.map((name) => missing(name, payload));
	if (problems.length > 0) throw pydantic('AnnotationCreatePayload', problems);
	return { question: String(payload.question), answer: String(payload.answer) };
}

export function createAnnotation(call: Call): void {
	const annotation = {
		id: call.store.newId('annotation'),
		...annotationPayload(call),
		hit_count: 0,
		created_at: call.store.now(),
	};
	call.app.annotations.push(annotation);
	call.reply(201, annotation);
}

export function changeAnnotation(call: Call): void {
	const { store } = call;
	const payload = annotationPayload(call);
	// Dify does not check which app it belongs to.
	const known = store.apps
		.flatMap(({ annotations }) => annotations)
		.find((each) => each.id === call.ids[0]);
	if (known === undefined) throw notFound('Annotation not found');
	call.reply(200, Object.assign(known, payload));
}

export function deleteAnnotation(call: Call): void {
	const at = call.app.annotations.findIndex((each) => each.id === call.ids[0]);
	if (at < 0) throw notFound('Annotation not found');
	call.app.annotations.splice(at, 1);
	call.reply(204, undefined);
}
