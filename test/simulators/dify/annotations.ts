import { notFound } from './http';
import { sendPage } from './knowledge/state';
import type { Call } from './store';

/** Annotations of an app (docs/protocols/dify.md 2.12). */
export function listAnnotations(call: Call): void {
	const keyword = (call.query.get('keyword') ?? '').toLowerCase();
	const found = call.app.annotations
		.filter((each) => `${each.question}\n${each.answer}`.toLowerCase().includes(keyword))
		.toReversed();
	sendPage(call, found);
}

const toTexts = ({ payload }: Call) => ({
	question: String(payload.question),
	answer: String(payload.answer),
});

export function createAnnotation(call: Call): void {
	const { store, app } = call;
	const fields = { id: store.newId('annotation'), hit_count: 0, created_at: store.now() };
	const annotation = { ...fields, ...toTexts(call) };
	app.annotations.push(annotation);
	call.reply(201, annotation);
}

export function changeAnnotation(call: Call): void {
	const known = call.app.annotations.find(({ id }) => id === call.ids[0]);
	if (known === undefined) throw notFound('Annotation not found');
	call.reply(200, Object.assign(known, toTexts(call)));
}

export function deleteAnnotation({ app, ids, reply }: Call): void {
	app.annotations = app.annotations.filter(({ id }) => id !== ids[0]);
	reply(204, undefined);
}
