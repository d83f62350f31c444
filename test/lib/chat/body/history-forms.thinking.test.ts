import { adjustThinkingInHistory } from '../../../../lib/chat/body/history-forms';
import { cacheToolCalls } from '../../../../lib/chat/tools/tool-call-cache';
import { createServerError } from '../../../../lib/errors/create-error';
import { toRejection } from '../../../../lib/exchange/rejection';
import type { JsonRecord } from '../../../../lib/values/records';
import { toSentRequest } from '../../exchange/sent-request';

/** The messages that are sent after the server has asked for the thinking. */
function resend(messages: readonly JsonRecord[]): unknown {
	const body = { model: 'm', messages };
	const serverText = 'The thinking is missing.';
	const report = { status: 400, codes: [], isOfGateway: false };
	const error = createServerError('badRequest', {}, { serverText, report });
	const change = adjustThinkingInHistory(
		toRejection({ error, ...toSentRequest(body), isRepeated: false }),
		body,
	);
	return change?.apply(body).messages;
}

const toCall = (id?: string) => ({
	...(id !== undefined && { id }),
	type: 'function',
	function: { name: 'look', arguments: '{}' },
});

describe('a server that asks for the thinking of messages with calls', () => {
	beforeEach(() => {
		for (const [id, reasoning] of [
			['known', 'I look first.'],
			['empty', ''],
		] as const)
			cacheToolCalls({ text: '', reasoning, toolCalls: [{ id, name: 'look', arguments: '{}' }] });
	});

	test.each([
		{ name: 'a known call', calls: [toCall('known')], thinking: 'I look first.' },
		{
			name: 'the second of two',
			calls: [toCall('empty'), toCall('known')],
			thinking: 'I look first.',
		},
		{ name: 'a call of another process', calls: [toCall('other')], thinking: '' },
		{ name: 'a call without an ID', calls: [toCall()], thinking: '' },
		{
			name: 'a call after one without an ID',
			calls: [toCall(), toCall('known')],
			thinking: 'I look first.',
		},
	])('gets that of $name: $thinking', ({ calls, thinking }) => {
		const message = { role: 'assistant', content: '', tool_calls: calls };
		expect(resend([{ role: 'user', content: 'Hi' }, message])).toEqual([
			{ role: 'user', content: 'Hi' },
			{ ...message, reasoning_content: thinking },
		]);
	});
});
