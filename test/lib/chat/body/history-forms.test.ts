/** Other forms of the history, for servers that reject its thinking, its text beside calls, or streaming with tools. */
import path from 'node:path';
import {
	adjustThinkingInHistory,
	omitStreamWithTools,
	omitTextBesideCalls,
} from '../../../../lib/chat/body/history-forms';
import { toolCallCache } from '../../../../lib/chat/tools/tool-call-cache';
import { createServerError } from '../../../../lib/errors/create-error';
import { toRejection } from '../../../../lib/exchange/rejection';
import type { JsonRecord } from '../../../../lib/values/records';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';
import { toSentRequest } from '../../exchange/sent-request';

const ADAPTATIONS = { adjustThinkingInHistory, omitStreamWithTools, omitTextBesideCalls };

const call = (id: string) => ({
	id,
	type: 'function',
	function: { name: 'look_up', arguments: '{}' },
});
const user = { role: 'user', content: 'Hi' };

const BODIES: Readonly<Record<string, JsonRecord>> = {
	'no history': { messages: [user] },
	'an answer': { messages: [user, { role: 'assistant', content: 'Hello' }] },
	'thinking in each field': {
		messages: [
			user,
			{ role: 'assistant', content: 'A', reasoning_content: 'x' },
			{ role: 'assistant', content: 'B', reasoning: 'x' },
			{ role: 'assistant', content: 'C', thinking: 'x' },
		],
	},
	'a call': { messages: [user, { role: 'assistant', content: '', tool_calls: [call('1')] }] },
	'a call beside text': {
		messages: [user, { role: 'assistant', content: 'Let me see', tool_calls: [call('1')] }],
	},
	'a call with thinking, another without': {
		messages: [
			user,
			{ role: 'assistant', content: '', reasoning: 'own', tool_calls: [call('known-1')] },
			{ role: 'tool', content: 'x', tool_call_id: 'known-1' },
			{ role: 'assistant', content: '', tool_calls: [call('1'), call('known-1')] },
		],
	},
	'calls whose thinking is known': {
		messages: [
			user,
			{ role: 'assistant', content: '', tool_calls: [call('known-2'), call('known-1')] },
			{ role: 'assistant', content: '', reasoning_content: '', tool_calls: [call('known-1')] },
			{ role: 'assistant', content: '', tool_calls: [{ type: 'function' }] },
		],
	},
	'calls whose thinking is known, none is sent': {
		messages: [
			user,
			{ role: 'assistant', content: '', tool_calls: [call('known-2'), call('known-1')] },
			{ role: 'assistant', content: '', tool_calls: [{ type: 'function' }] },
			{ role: 'assistant', content: 'Done' },
		],
	},
	'calls of another role': { messages: [{ role: 'user', content: 'Hi', tool_calls: [call('1')] }] },
	'tools, streamed': {
		messages: [user],
		stream: true,
		stream_options: { include_usage: true },
		tools: [{ type: 'function' }],
	},
	'tools, not streamed': { messages: [user], stream: false, tools: [{ type: 'function' }] },
	'no tools, streamed': { messages: [user], stream: true, tools: [] },
	'messages of other forms': { messages: ['Hi', null, { role: 'assistant' }] },
	'no messages': { prompt: 'Hi' },
};

const TEXTS = [
	'Thinking is not supported here.',
	"Unknown field 'reasoning_content'",
	'messages[1].thinking: Extra inputs are not permitted',
	'Tools cannot be combined with stream.',
	'Tools are wrong. Stream is wrong.',
	'The stream is wrong.',
	'Invalid messages',
];

const STATUSES = [400, 404, 422, 500, 503];

test('each rejection changes each history in its way', () => {
	toolCallCache.set('known-1', { reasoning: 'thought of 1' } as never);
	toolCallCache.set('known-2', { reasoning: '' } as never);
	const outcomes = Object.entries(ADAPTATIONS).flatMap(([name, adapt]) =>
		Object.entries(BODIES).flatMap(([subject, body]) =>
			TEXTS.flatMap((text) =>
				STATUSES.flatMap((status) => {
					const report = { status, codes: [], isOfGateway: false };
					const error = createServerError('badRequest', {}, { serverText: text, report });
					const before = structuredClone(body);
					const rejection = toRejection({ error, ...toSentRequest(body), isRepeated: true });
					const change = adapt(rejection, body);
					const changed = change?.apply(body);
					expect(body).toEqual(before);
					if (change === undefined || changed === undefined) return [];
					// The same change finds nothing more to change.
					expect(change.apply(changed)).toEqual(changed);
					const { name: title, warning } = change as { name: string; warning?: string };
					const outcome = { change: title, warning, body: changed };
					return [{ subject: `${name}, ${subject}`, place: `${status} ${text}`, outcome }];
				}),
			),
		),
	);
	expectApproved(
		path.join(__dirname, 'history-forms.approved.txt'),
		joinPlaces(outcomes),
		'Another form of a history changes only what the server rejected',
	);
});
