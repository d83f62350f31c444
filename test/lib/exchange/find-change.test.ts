/** Which rejections change a request, and which of those changes later requests learn. */
import { createServerError } from '../../../lib/errors/create-error';
import type { ServerError } from '../../../lib/errors/server-error';
import type { Adaptation, AdaptationRule } from '../../../lib/exchange/find-change';
import { findChange } from '../../../lib/exchange/find-change';
import type { JsonRecord } from '../../../lib/values/records';

/** Leaves out a field that the message mentions. */
const omitMentioned =
	(name: string): Adaptation =>
	({ matches }) =>
		matches(new RegExp(String.raw`\b${name}\b`, 'g')).length === 0
			? undefined
			: { name: `without ${name}`, apply: (body: JsonRecord) => body };

const BODY = {
	model: 'm',
	top_k: 1,
	min_p: 1,
	messages: [{ role: 'user', content: 'About seed' }],
};

interface RejectionDetails {
	status?: number;
	isQuoted?: boolean;
	rule?: AdaptationRule;
}

const rejected = (
	serverText: string,
	{ status = 400, isQuoted = false }: RejectionDetails = {},
): ServerError =>
	createServerError('badRequest', {}, { status, serverText, rejection: { status, isQuoted } });

const change = (error: ServerError, rule: AdaptationRule = 'field') =>
	findChange({
		error,
		body: BODY,
		adaptations: [omitMentioned('top_k'), omitMentioned('min_p'), omitMentioned('seed')],
		rule,
	});

test.each([
	{ text: 'top_k is not supported', name: 'without top_k' },
	{ text: 'min_p is not supported', name: 'without min_p' },
	// The first adaptation that finds something, not the first word
	{ text: 'min_p and top_k are not supported', name: 'without top_k' },
	{ text: 'something else', name: undefined },
	// The request says it, too.
	{ text: 'About seed', name: undefined },
])('the change for "$text": $name', ({ text, name }) => {
	expect(change(rejected(text))?.name).toBe(name);
});

test('an error that is no rejection of a request changes nothing', () => {
	const error = createServerError('connectionLost', {}, { serverText: 'top_k is not supported' });
	expect(change(error)).toBeUndefined();
});

/** What a model wrote may contain any word. */
test.each<{ text: string; rule: AdaptationRule; isChanged: boolean }>([
	{ text: 'Failed to parse tool call: top_k', rule: 'field', isChanged: false },
	{ text: 'Failed to parse tool call: top_k', rule: 'conversation', isChanged: false },
	{ text: 'Failed to parse tool call: top_k', rule: 'format', isChanged: true },
	{ text: 'The model generated invalid JSON: top_k', rule: 'field', isChanged: false },
	{ text: 'The model generated invalid JSON: top_k', rule: 'format', isChanged: true },
	{ text: 'failed_generation: top_k', rule: 'field', isChanged: false },
])(
	'about the output, "$text" changes a $rule for this request: $isChanged',
	({ text, rule, isChanged }) => {
		const found = change(rejected(text), rule);
		expect(found).toEqual(isChanged ? expect.objectContaining({ isTemporary: true }) : undefined);
	},
);

test.each<RejectionDetails & { text: string; teaches: boolean }>([
	{ text: 'top_k is not supported', status: 400, teaches: true },
	{ text: 'top_k is not supported', status: 422, teaches: true },
	{ text: 'top_k is not supported', status: 500, teaches: false },
	{ text: 'top_k is not supported', status: 403, teaches: false },
	{ text: 'top_k is not supported', status: 500, rule: 'format', teaches: false },
	// Templates of chats fail with 500.
	{ text: 'top_k is not supported', status: 500, rule: 'conversation', teaches: true },
	// Found in a text, which may be anybody's
	{ text: 'top_k is not supported', isQuoted: true, teaches: false },
	{ text: 'top_k is not supported', isQuoted: true, rule: 'conversation', teaches: false },
	// In quotation marks, after what the server says itself
	{ text: 'Invalid input: "a text about top_k and more"', teaches: false },
	// In its own words it means another field.
	{ text: 'min_p is not supported, near "about top_k"', teaches: false },
])('later requests learn from %j', ({ text, teaches, rule = 'field', ...details }) => {
	const found = change(rejected(text, details), rule);
	expect(found?.name).toBe('without top_k');
	expect(found?.isTemporary !== true).toBe(teaches);
});
