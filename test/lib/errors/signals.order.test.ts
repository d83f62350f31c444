/** Each signal decides a message that no other one would, and the order of signals is that of these messages. */
import type { ErrorType } from '../../../lib/errors/error-types';
import { findTypeByText, SIGNALS, TYPE_BY_TEXT } from '../../../lib/errors/signals';
import { readRows } from '../../support/files/rows';

const MESSAGES = readRows(`${__dirname}/messages.tsv`).map(([, , , message = '']) => message);

test.each(TYPE_BY_TEXT)('$type: each pattern of its row has a message', ({ type, patterns }) => {
	const unused = patterns.filter((pattern) => !MESSAGES.some((message) => pattern.test(message)));
	expect([type, unused.map(String)]).toEqual([type, []]);
});

test.each(SIGNALS.map(({ none = [], ...signal }) => ({ ...signal, none })))(
	'$type: each signal has a message',
	({ all, none }) => {
		const decides = MESSAGES.some(
			(message) =>
				all.every((pattern) => pattern.test(message)) &&
				!none.some((pattern) => pattern.test(message)),
		);
		expect([all.map(String), decides]).toEqual([all.map(String), true]);
	},
);

/** Words of both types; the first one counts. */
test.each<[ErrorType, ErrorType, string]>([
	['modalityUnsupported', 'tooManyFiles', 'At most 0 image(s) may be provided in one prompt.'],
	[
		'tooManyFiles',
		'promptTooLong',
		'At most 2 audio(s) may be provided in one prompt with 3000 tokens of context, but 3 were given.',
	],
	[
		'busy',
		'promptTooLong',
		'You have exceeded the maximum number of tokens allowed per minute. Context: free plan, 1000 of 1000.',
	],
	[
		'keyBudgetExceeded',
		'promptTooLong',
		"This token's quota is not enough for the input: 500 of 1200 needed",
	],
	[
		'invalidToolCallInHistory',
		'outputParseFailed',
		'Failed to parse tool call arguments as JSON: parse error at line 1',
	],
	['outputParseFailed', 'badGateway', 'Failed to parse input at pos 96: connection reset by peer'],
	['modelLoadFailed', 'modelCrashed', 'model failed to load: CUDA error: out of memory'],
	[
		'badGateway',
		'modelUnreachable',
		'read tcp 10.0.0.1:1->10.0.0.2:2: connection reset by peer (dial tcp failed before)',
	],
	[
		'modelCrashed',
		'outputParseFailed',
		'CUDA error: failed to parse the output of the kernel response',
	],
])('%s before %s: %s', (first, _second, message) => {
	expect(findTypeByText(message)).toBe(first);
});
