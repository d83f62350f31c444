import { crashed, invalid, isJson, missing, notFound, pydantic, sendJson } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { datasetOf, documentOf, done, paged, segmentOf } from './checks';
import { segmentOf as newSegment } from './documents';
import { segmentItem } from './shapes';
import type { SimDocument } from './state';

function complete(document: SimDocument): void {
	if (document.status !== 'completed') throw notFound('Document is not completed.');
	if (!document.enabled) throw notFound('Document is disabled.');
}

export function createSegments(call: Call): void {
	const { store, payload } = call;
	const dataset = datasetOf(call);
	const document = documentOf(call, dataset);
	complete(document);
	const { segments } = payload;
	if (segments === undefined) return sendJson(call.res, 400, { error: 'Segments is required' });
	if (!Array.isArray(segments)) {
		const text = 'Input should be a valid list';
		throw pydantic('SegmentCreatePayload', [
			{ field: 'segments', text, type: 'list_type', input: segments },
		]);
	}
	if (segments.length === 0) {
		const text = 'List should have at least 1 item after validation, not 0';
		const { message } = pydantic('SegmentCreatePayload', [
			{ field: 'segments', text, type: 'too_short', input: segments },
		]);
		return sendJson(call.res, 400, { error: message });
	}
	for (const each of segments as Json[]) {
		if (each.content !== undefined && typeof each.content !== 'string') throw crashed();
		if (each.keywords !== undefined && !Array.isArray(each.keywords)) throw crashed();
		if (typeof each.content !== 'string' || each.content.trim() === '')
			throw invalid('Content is empty');
		if (document.form === 'qa_model' && (typeof each.answer !== 'string' || each.answer === ''))
			throw invalid('Answer is required');
	}
	const made = (segments as Json[]).map((each) => {
		const segment = newSegment(
			store,
			dataset,
			document,
			each.content as string,
			document.segments.length + 1,
		);
		if (document.form === 'qa_model') segment.answer = each.answer as string;
		segment.keywords = Array.isArray(each.keywords)
			? (each.keywords as string[])
			: (segment.keywords ?? []);
		document.segments.push(segment);
		return segment;
	});
	call.reply(200, {
		data: made.map((segment) => segmentItem(document, segment)),
		doc_form: document.form,
	});
}

export function listSegments(call: Call): void {
	const dataset = datasetOf(call);
	const document = documentOf(call, dataset);
	const keyword = (call.query.get('keyword') ?? '').toLowerCase();
	const all = document.segments.filter(({ content }) => content.toLowerCase().includes(keyword));
	const { page, frame } = paged(call, 'SegmentListQuery', all);
	const { total, has_more, limit, page: number } = frame;
	const data = page.map((segment) => segmentItem(document, segment));
	call.reply(200, { data, doc_form: document.form, total, has_more, limit, page: number });
}

export function oneSegment(call: Call): void {
	const document = documentOf(call, datasetOf(call));
	const segment = segmentOf(call, document);
	if (call.request.method === 'DELETE') {
		document.segments = document.segments.filter((each) => each !== segment);
		return done(call);
	}
	if (call.request.method === 'POST') change(call, segment, document);
	call.reply(200, { data: segmentItem(document, segment), doc_form: document.form });
}

function change(call: Call, segment: SimDocument['segments'][number], document: SimDocument): void {
	const { payload } = call;
	const { segment: given } = payload;
	if (given === undefined) throw pydantic('SegmentUpdatePayload', [missing('segment', payload)]);
	if (!isJson(given)) throw crashed();
	if (given.enabled === false) {
		segment.enabled = false;
		return;
	}
	if (!segment.enabled && given.enabled !== true) throw invalid("Can't update disabled segment");
	segment.enabled = true;
	if (typeof given.content === 'string') segment.content = given.content;
	// An omitted answer is erased.
	if (document.form === 'qa_model')
		segment.answer = typeof given.answer === 'string' ? given.answer : null;
	if (Array.isArray(given.keywords) && given.keywords.length > 0)
		segment.keywords = given.keywords as string[];
}
