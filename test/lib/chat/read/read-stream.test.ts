import { CompletionAccumulator } from '../../../../lib/chat/read/completion-accumulator';
import { readStream } from '../../../../lib/chat/read/read-stream';
import type { HttpResponse } from '../../../../lib/http/types';
import { setImmediate } from 'node:timers';

/** A response whose events are all there. */
function responseOf(events: string[]): HttpResponse {
	return {
		events: async function* () {
			yield events;
		},
		errorContext: {},
		markContent: () => {},
		expectEnd: () => {},
		getNonEventLines: () => [],
		isDocument: () => false,
	} as unknown as HttpResponse;
}

const text = (content: string) => ({ content });
const thinking = (content: string) => ({ reasoning_content: content });
const call = (content: string) => ({
	tool_calls: [{ index: 0, id: 'a', function: { name: 'store', arguments: `{"a":"${content}"}` } }],
});

const words = Array.from({ length: 20_000 }, (_one, index) => `word${index}`).join(' ');

test.each([
	{ name: 'a text', delta: text('Hello'), isLong: false },
	{ name: 'a long text', delta: text(words), isLong: true },
	{ name: 'long thinking', delta: thinking(words), isLong: true },
	{ name: 'a short call', delta: call('Hello'), isLong: false },
	{ name: 'a long call', delta: call(words), isLong: true },
])(
	'n8n works on between the steps of a response with $name: $isLong',
	async ({ delta, isLong }) => {
		const chunk = { choices: [{ index: 0, delta, finish_reason: 'stop' }] };
		let turns = 0;
		const count = () => {
			turns++;
			next = setImmediate(count);
		};
		let next = setImmediate(count);
		await readStream(responseOf([JSON.stringify(chunk)]), new CompletionAccumulator());
		clearImmediate(next);
		expect(turns > 1).toBe(isLong);
	},
);
