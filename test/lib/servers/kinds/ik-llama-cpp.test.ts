import type { Connection } from '../../../../lib/http/connection';
import { kindOf } from '../../../../lib/servers/kinds';
import { TAKES_EVERYTHING, testKind } from './kind-suite';

describe('ik_llama.cpp', () => {
	const IK = 'ik-llama-cpp-8337e4c';

	testKind('ikLlamaCpp', {
		told: [
			['its health', { health: `${IK}/health` }],
			['its list', { models: `${IK}/models` }],
			['its properties', { props: `${IK}/props` }],
		],
		chat: {
			...TAKES_EVERYTHING,
			fields: { ...TAKES_EVERYTHING.fields, max_tokens: -1 },
			thinkingIn: ['reasoning_content'],
		},
		advice: {
			noModels: 'llama-server -m FILE.gguf',
			embeddingsOff: '--embeddings',
			moreContext: '--ctx-size 9000',
			toolParser: '--jinja',
		},
	});

	test.each([
		['far too long', { default_generation_settings: { n_ctx: 2048 } }, 28_000, 1_935, true],
		['long, but it fits', { default_generation_settings: { n_ctx: 8192 } }, 28_000, 3_500, false],
		['prose', { default_generation_settings: { n_ctx: 2048 } }, 8_000, 1_935, false],
		['of an unknown context', {}, 28_000, 1_935, false],
	])('a conversation that is %s', async (_case, props, characters, promptTokens, isTold) => {
		const connection = {
			url: { root: 'http://x' },
			call: async () => await Promise.resolve({ status: 200, json: props }),
		} as unknown as Connection;
		const remark = kindOf('ikLlamaCpp').chat.remarkOnDroppedMessages;
		const note = await remark?.(connection, { model: '', characters, promptTokens });
		expect(note?.includes('2048 tokens') ?? false).toBe(isTold);
	});
});
