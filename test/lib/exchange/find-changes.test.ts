/** Which rejections change a request. */
import type { ErrorType } from '../../../lib/errors/error-types';
import type { ErrorReport } from '../../../lib/errors/server-error';
import { createServerError } from '../../../lib/errors/create-error';
import type { Adaptation, AdaptationRule } from '../../../lib/exchange/find-changes';
import { findChanges } from '../../../lib/exchange/find-changes';
import type { JsonRecord } from '../../../lib/values/records';
import { toSentRequest } from './sent-request';

/** Leaves out a field that the message names. */
const omitNamed =
	(field: string): Adaptation =>
	(rejection) =>
		rejection.names(field)
			? { name: `without ${field}`, apply: (body: JsonRecord) => body }
			: undefined;

const BODY = { model: 'm', top_k: 1, min_p: 1 };

interface RejectionDetails extends Partial<ErrorReport> {
	/** Default: `badRequest`. */
	type?: ErrorType;
	rule?: AdaptationRule;
	/** Names of changes. Default: none. */
	tried?: readonly string[];
}

const change = (
	serverText: string,
	{ type = 'badRequest', rule = 'field', tried = [], ...report }: RejectionDetails = {},
) =>
	findChanges({
		error: createServerError(
			type,
			{},
			{
				serverText,
				report: { status: 400, codes: [], isOfGateway: false, ...report },
			},
		),
		...toSentRequest(BODY),
		isRepeated: false,
		adaptations: [omitNamed('top_k'), omitNamed('min_p')],
		rule,
		tried: tried.map((name) => ({ name, apply: (body: JsonRecord) => body })),
	})[0];

test.each([
	{ text: 'top_k is not supported', name: 'without top_k' },
	{ text: 'min_p is not supported', name: 'without min_p' },
	// The first adaptation that finds something, not the first word
	{ text: 'min_p and top_k are not supported', name: 'without top_k' },
	{ text: 'something else', name: undefined },
])('the change for "$text": $name', ({ text, name }) => {
	expect(change(text)?.name).toBe(name);
});

test.each<[string, Partial<ErrorReport>]>([
	['a gateway', { isOfGateway: true }],
	['an error in a response', { status: 200 }],
])('%s changes nothing', (_name, report) => {
	expect(change('top_k is not supported', report)).toBeUndefined();
});

test('each change is tried once', () => {
	const text = 'min_p and top_k are not supported';
	expect(change(text, { tried: ['without top_k'] })?.name).toBe('without min_p');
	expect(change(text, { tried: ['without top_k', 'without min_p'] })).toBeUndefined();
});

test('what the node found out itself changes nothing', () => {
	const error = createServerError('connectionLost', {}, { serverText: 'top_k is not supported' });
	const adaptations = [omitNamed('top_k')];
	expect(
		findChanges({
			error,
			...toSentRequest(BODY),
			isRepeated: false,
			adaptations,
			rule: 'field',
			tried: [],
		}),
	).toEqual([]);
});

test.each<RejectionDetails & { isChanged: boolean }>([
	{ status: 400, isChanged: true },
	{ status: 404, isChanged: true },
	{ status: 422, isChanged: true },
	// A server that fails may quote what the model wrote.
	{ status: 500, isChanged: false },
	{ status: 501, isChanged: false },
	{ status: 403, isChanged: false },
	{ type: 'outputParseFailed', isChanged: false },
	{ status: 500, rule: 'format', isChanged: true },
	// Templates of chats fail with 500.
	{ status: 500, rule: 'conversation', isChanged: true },
	{ status: 500, rule: 'strictForm', isChanged: true },
])('%j', ({ isChanged, ...details }) => {
	const found = change('top_k is not supported', details);
	expect(found?.name).toBe(isChanged ? 'without top_k' : undefined);
});
