import {
	createServerToolCallId,
	createToolCallIds,
	toServerToolCallId,
	getResponseKey,
} from '../../../../lib/chat/tools/tool-call-ids';
import fc from 'fast-check';

test('an ID for the server has nine letters and digits', () => {
	const ids = Array.from({ length: 200 }, createServerToolCallId);
	for (const id of ids) expect(id).toMatch(/^[0-9a-z]{9}$/);
	expect(new Set(ids).size).toBe(200);
});

describe('tool call IDs', () => {
	it('differ in each response even if the server repeats its IDs (vLLM issue 50295, SGLang)', () => {
		const ids = [0, 1, 2].flatMap(() => createToolCallIds(['call_0', 'call_1']));
		expect(new Set(ids).size).toBe(6);
		expect(new Set(ids.map((id) => toServerToolCallId({ id, name: 'get_weather' }))).size).toBe(6);
	});

	it('show which calls belong to one response', () => {
		const [a, b] = createToolCallIds(['0', '1']);
		const [c] = createToolCallIds(['0']);
		expect(getResponseKey(a!)).toBe(getResponseKey(b!));
		expect(getResponseKey(a!)).not.toBe(getResponseKey(c!));
		expect(getResponseKey('call_0')).toBeUndefined();
	});

	it('encode the ID that Kimi K2 expects in characters that every provider accepts (vLLM issue 20789)', () => {
		const [id] = createToolCallIds(['functions.get_weather:0']);
		expect(id).toMatch(/^n8n[0-9a-z]{9}0_functions-2Eget_weather-3A0$/);
		expect(toServerToolCallId({ id: id!, name: 'get_weather' })).toBe('functions.get_weather:0');
		expect(toServerToolCallId({ id: id!, name: 'get_time' })).toMatch(/^[a-z0-9]{9}$/);
	});

	it("contain the server's ID, unless it is long", () => {
		const [kept, long, none] = createToolCallIds(['a'.repeat(200), 'a'.repeat(201), '']);
		expect(kept).toMatch(/^n8n[0-9a-z]{9}0_a{200}$/);
		expect([long, none]).toEqual([
			expect.stringMatching(/^n8n[0-9a-z]{9}1$/),
			expect.stringMatching(/^n8n[0-9a-z]{9}2$/),
		]);
	});

	it('are within the length that OpenAI accepts, because n8n may send the conversation there', () => {
		const [llama, vllm] = createToolCallIds(['a'.repeat(32), `chatcmpl-tool-${'0'.repeat(32)}`]);
		expect(llama!.length).toBe(46);
		expect(vllm!.length).toBe(64);
	});

	it.each([
		'',
		'call_0',
		'n8n012345678',
		'n8n0123456780_-ZZ',
		'n8n0123456780_-FF',
		'n8n0123456780_call_0',
		`n8n0123456780_chatcmpl-2Dtool-2D${'0'.repeat(32)}`,
		...createToolCallIds([undefined, '', 'x'.repeat(201)]),
	])('reach the server as nine letters and digits, the same in each round: %j', (id) => {
		expect(toServerToolCallId({ id, name: 'get_weather' })).toMatch(/^[a-zA-Z0-9]{9}$/);
		expect(toServerToolCallId({ id, name: 'get_weather' })).toBe(
			toServerToolCallId({ id, name: 'get_weather' }),
		);
	});

	it('of that form, and those of Kimi in a history of another node, reach it unchanged', () => {
		for (const id of ['a1B2c3D4e', 'functions.get_weather:1'])
			expect(toServerToolCallId({ id, name: 'get_weather' })).toBe(id);
	});

	it('are valid for a call without a name', () => {
		expect(toServerToolCallId({ id: 'call_0', name: '' })).toMatch(/^[a-z0-9]{9}$/);
	});

	it('can be decoded to any ID of a server', () => {
		fc.assert(
			fc.property(
				fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })),
				(serverIds) => {
					const ids = createToolCallIds(serverIds);
					expect(
						ids.map((id, index) => toServerToolCallId({ id, name: serverIds[index]! })),
					).toEqual(serverIds);
					for (const id of ids) expect(id).toMatch(/^[\w-]+$/);
					expect(new Set(ids).size).toBe(ids.length);
				},
			),
		);
	});
});
