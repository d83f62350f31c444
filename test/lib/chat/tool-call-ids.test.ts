import fc from 'fast-check';

import { createToolCallIds, toServerToolCallId, getTurnKey } from '../../../lib/chat/tool-calls';

describe('ids of tool calls', () => {
	it('are different in every answer, though the server gives the same ones (vLLM issue 50295, SGLang)', () => {
		const ids = [0, 1, 2].flatMap(() => createToolCallIds(['call_0', 'call_1']));
		expect(new Set(ids).size).toBe(6);
		expect(ids.map(toServerToolCallId)).toEqual([
			'call_0',
			'call_1',
			'call_0',
			'call_1',
			'call_0',
			'call_1',
		]);
	});

	it('show which calls belong to one answer', () => {
		const [a, b] = createToolCallIds(['0', '1']);
		const [c] = createToolCallIds(['0']);
		expect(getTurnKey(a!)).toBe(getTurnKey(b!));
		expect(getTurnKey(a!)).not.toBe(getTurnKey(c!));
		expect(getTurnKey('call_0')).toBeUndefined();
	});

	it('encode what Kimi K2 needs back in characters that every provider accepts (vLLM issue 20789)', () => {
		const [id] = createToolCallIds(['functions.get_weather:0']);
		expect(id).toMatch(/^n8n[0-9a-z]{9}0_functions-2Eget_weather-3A0$/);
		expect(toServerToolCallId(id!)).toBe('functions.get_weather:0');
	});

	it('are no longer than OpenAI allows, to which n8n may hand the conversation', () => {
		const [llama, vllm] = createToolCallIds(['a'.repeat(32), `chatcmpl-tool-${'0'.repeat(32)}`]);
		expect(llama!.length).toBe(46);
		expect(vllm!.length).toBe(64);
	});

	it('are sent to the server unchanged if it gave none, or one that is too long to encode', () => {
		for (const id of createToolCallIds([undefined, '', 'x'.repeat(201)]))
			expect(toServerToolCallId(id)).toBe(id);
	});

	it.each([
		'',
		'call_0',
		'n8n012345678',
		'n8n0123456780_-ZZ',
		'n8n0123456780_-FF',
		'n8n0123456780_',
	])('of others stay as they are: %j', (id) => expect(toServerToolCallId(id)).toBe(id));

	it('can be decoded to any id of a server', () => {
		fc.assert(
			fc.property(
				fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })),
				(serverIds) => {
					const ids = createToolCallIds(serverIds);
					expect(ids.map(toServerToolCallId)).toEqual(serverIds);
					for (const id of ids) expect(id).toMatch(/^[\w-]+$/);
					expect(new Set(ids).size).toBe(ids.length);
				},
			),
		);
	});
});
