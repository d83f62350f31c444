/** Each transform of a single event by itself: what it changes, and what it leaves alone. */
import type { Chunk, Transform } from '../../../../../lib/chat/answer/chunk';
import { contentParts } from '../../../../../lib/chat/answer/transforms/content-parts';
import { endMarkers } from '../../../../../lib/chat/answer/transforms/end-markers';
import { envelopes } from '../../../../../lib/chat/answer/transforms/envelopes';
import { errorEvents } from '../../../../../lib/chat/answer/transforms/error-events';
import { finishNames } from '../../../../../lib/chat/answer/transforms/finish-names';
import { heartbeats } from '../../../../../lib/chat/answer/transforms/heartbeats';
import { refusals } from '../../../../../lib/chat/answer/transforms/refusals';
import { requestedChoice } from '../../../../../lib/chat/answer/transforms/requested-choice';
import { thinkingFields } from '../../../../../lib/chat/answer/transforms/thinking-fields';
import { wholeAnswers } from '../../../../../lib/chat/answer/transforms/whole-answers';
import { wholeMessages } from '../../../../../lib/chat/answer/transforms/whole-messages';
import { withoutOrigin } from '../../../../../lib/chat/answer/transforms/without-origin';
import { openAiProtocol } from '../../../../../lib/chat/wire/openai';

const ORDINARY = {
	id: 'x',
	choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }],
};
const decode = (data: unknown, event?: string) =>
	openAiProtocol.decode({ event, data: typeof data === 'string' ? data : JSON.stringify(data) });
const ofDelta = (delta: object) => ({ choices: [{ index: 0, delta }] });

const TRANSFORMS: Array<[() => Transform, data: unknown, event: string | undefined, out: Chunk]> = [
	[endMarkers, '"[done]"', undefined, { done: true }],
	[heartbeats, 'keep-alive', undefined, {}],
	[heartbeats, '17', 'ping', {}],
	[envelopes, { code: 200, data: ORDINARY }, undefined, { text: 'a' }],
	[envelopes, JSON.stringify(JSON.stringify(ORDINARY)), undefined, { text: 'a' }],
	[envelopes, '{"choices":[{"delta":{"content":"a"},"logprob":NaN}]}', undefined, { text: 'a' }],
	[errorEvents, { error: { message: 'no' } }, undefined, { error: { message: 'no' } }],
	[errorEvents, 'no', 'error', { error: { message: 'no' } }],
	[errorEvents, 'unexpected EOF', undefined, { error: { message: 'unexpected EOF' } }],
	[
		requestedChoice,
		{ choices: [{ index: 2, delta: { content: 'a' } }] },
		undefined,
		{ choice: 2, text: 'a' },
	],
	[requestedChoice, { choices: { delta: { content: 'a' } } }, undefined, { text: 'a' }],
	[
		wholeMessages,
		{ choices: [{ delta: {}, message: { content: 'a' } }] },
		undefined,
		{ text: 'a', isMessage: true },
	],
	[
		contentParts,
		ofDelta({ content: ['a', { type: 'text', text: 'b' }] }),
		undefined,
		{ text: 'ab' },
	],
	[contentParts, { choices: [{ text: 'a' }] }, undefined, { text: 'a' }],
	[refusals, ofDelta({ content: 'a', refusal: 'b' }), undefined, { text: 'ab' }],
	[thinkingFields, ofDelta({ reasoning: 'a' }), undefined, { reasoning: 'a' }],
	[
		finishNames,
		{ choices: [{ finish_reason: 'MAX_TOKENS' }] },
		undefined,
		{ finishReason: 'length' },
	],
	[wholeAnswers, ORDINARY, 'whole-answer', { text: 'a', finishReason: 'stop', done: true }],
];

describe.each(TRANSFORMS)('%p', (transform, data, event, out) => {
	it('reads another shape', () => {
		const [chunk = {}] = transform().push(decode(data, event));
		expect(withoutOrigin().push(chunk)).toEqual([expect.objectContaining(out)]);
	});

	it('leaves an ordinary event and a chunk without one alone', () => {
		const ordinary = decode(ORDINARY);
		const decoded: Chunk = { text: 'a', usage: undefined };
		expect(transform().push(ordinary)[0]).toBe(ordinary);
		expect(transform().push(decoded)[0]).toBe(decoded);
		expect(transform().end('done')).toEqual([]);
	});
});
