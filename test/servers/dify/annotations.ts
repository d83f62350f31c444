import { crashed, invalid, missing, notFound, pydantic } from './http';
import { limitOf } from './records';
import type { Call, Store } from './store';
import type { SimAnnotation, SimApp } from './types';

/** Annotations of an app, and the jobs that switch annotation replies on and off (docs/protocols/dify.md 2.12). */

const LARGEST_PAGE = 100;
const USUAL_PAGE = 20;

/** Dify 1.12 ignores invalid numbers; newer versions refuse them. */
function pageNumber({ store, query }: Call, name: string, usual: number): number {
	if (store.version !== '1.12')
		return limitOf(query, { model: 'AnnotationListQuery', most: Infinity, usual }, name);
	const sent = query.get(name) ?? '';
	return /^\s*[+-]?\d+\s*$/.test(sent) ? Number(sent) : usual;
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

/** Dify 1.12 and 1.14 do not check which app it belongs to. */
function annotationOfAnyApp(store: Store, app: SimApp, id: string): SimAnnotation | undefined {
	const apps = store.version === '2026' ? [app] : store.apps;
	return apps.flatMap(({ annotations }) => annotations).find((each) => each.id === id);
}

export function changeAnnotation(call: Call): void {
	const { app, store } = call;
	const payload = annotationPayload(call);
	const known = annotationOfAnyApp(store, app, call.ids[0] ?? '');
	if (known === undefined) throw notFound('Annotation not found');
	call.reply(200, Object.assign(known, payload));
}

export function deleteAnnotation(call: Call): void {
	const at = call.app.annotations.findIndex((each) => each.id === call.ids[0]);
	if (at < 0) throw notFound('Annotation not found');
	call.app.annotations.splice(at, 1);
	call.reply(204, undefined);
}

export function annotationReply(call: Call): void {
	const { app, payload, ids, store } = call;
	const needed = ['score_threshold', 'embedding_provider_name', 'embedding_model_name'];
	const problems = needed
		.filter((name) => !(name in payload))
		.map((name) => missing(name, payload));
	if (problems.length > 0) throw pydantic('AnnotationReplyActionPayload', problems);
	if (ids[0] !== 'enable' && ids[0] !== 'disable') throw crashed();
	const jobId = store.newId('job');
	const { score_threshold, ...embedding_model } = payload;
	const next =
		ids[0] === 'disable'
			? { enabled: false }
			: { id: store.newId('annotation-setting'), enabled: true, score_threshold, embedding_model };
	const { looks = 0, error } = app.annotationJob ?? {};
	app.annotationJobs.set(jobId, {
		action: ids[0],
		next,
		looks,
		...(error === undefined ? {} : { error }),
	});
	call.reply(200, { job_id: jobId, job_status: 'waiting' });
}

/** Reports `waiting` until a job has ended: Dify has no state for a running job. */
export function annotationJob(call: Call): void {
	const { app, ids } = call;
	const jobId = ids[1] ?? '';
	const job = app.annotationJobs.get(jobId);
	// A job is found only under the action that started it.
	if (job === undefined || job.action !== ids[0]) throw invalid('The job does not exist.');
	if (job.looks-- > 0) {
		call.reply(200, { job_id: jobId, job_status: 'waiting', error_msg: '' });
		return;
	}
	const { next, error } = job;
	if (error === undefined) app.annotationReply = next;
	call.reply(200, {
		job_id: jobId,
		job_status: error === undefined ? 'completed' : 'error',
		error_msg: error ?? '',
	});
}
