import {
	contextSizeOf,
	needsNativeApi,
	sortExtraBody,
} from '../../../../lib/chat/request/ollama-options';

describe('Extra Body for Ollama', () => {
	it.each<[string, Record<string, unknown>, Partial<ReturnType<typeof sortExtraBody>>]>([
		[
			'options beside the others go among them',
			{ num_ctx: 5, user: 'me' },
			{ options: { num_ctx: 5 }, fields: { user: 'me' } },
		],
		[
			'what does nothing among the options goes beside them',
			{ options: { keep_alive: '1h', format: 'json', think: true, top_k: 1 } },
			{ options: { top_k: 1 }, fields: { keep_alive: '1h', format: 'json', think: true } },
		],
		[
			'numbers as text become numbers',
			{ options: { num_ctx: ' 4096 ', seed: '7' } },
			{ options: { num_ctx: 4096, seed: 7 } },
		],
		['one stop text becomes a list', { options: { stop: 'END' } }, { options: { stop: ['END'] } }],
		[
			'the names of the OpenAI API are understood',
			{ max_tokens: '9' },
			{ options: { num_predict: 9 } },
		],
		[
			'what is unknown stays where it is',
			{ options: { new_option: '1' } },
			{ options: { new_option: '1' }, fields: {} },
		],
		[
			'null stays null: it means the default',
			{ options: { stop: null, num_ctx: null } },
			{ options: { stop: null, num_ctx: null } },
		],
		[
			'what no longer exists is named',
			{ mirostat: 1, options: { low_vram: true } },
			{ gone: ['mirostat', 'low_vram'], options: {} },
		],
		['options that are no object are none', { options: 'x' }, { options: {}, fields: {} }],
	])('%s', (_what, given, sorted) => {
		expect(sortExtraBody(given)).toMatchObject(sorted);
	});

	it('tells the context size, over that of the option', () => {
		expect(contextSizeOf({})).toBeUndefined();
		expect(contextSizeOf({ contextSize: 5 })).toBe(5);
		expect(contextSizeOf({ contextSize: 5, extraBody: { options: { num_ctx: '7' } } })).toBe(7);
	});

	it('makes no difference where both APIs take it', () => {
		expect(needsNativeApi({ extraBody: { temperature: 1, user: 'me' } })).toBe(false);
		expect(needsNativeApi({ extraBody: { top_k: 1 } })).toBe(true);
		expect(needsNativeApi({ mirostat: 1, temperature: 1 })).toBe(false);
	});
});
