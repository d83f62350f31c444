import { kindOf } from '../../../../lib/servers/kinds';
import { isLlama } from '../../../../lib/servers/kinds/llama-server';
import { answers, workaroundsFor, list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('llama-server', () => {
	const LLAMA = 'llama-server-v0.5.0';

	testKind('llamaServer', {
		told: [
			['llama-server', { models: `${LLAMA}/models` }],
			['llama-server that refuses the key', { models: `${LLAMA}/key-models-none` }],
			['llama-server, by its /props alone', { props: `${LLAMA}/props` }],
			['llama-server while it loads', { health: `${LLAMA}/loading-health` }],
			['behind a proxy that hides its header', { models: list({ id: 'x', owned_by: 'llamacpp' }) }],
		],
		notTold: [['a router', { models: `${LLAMA}/router-models-loaded` }, 'llamaRouter']],
		version: [{ props: `${LLAMA}/props` }, 'b1-de3ff81'],
		chat: {
			...TAKES_EVERYTHING,
			fields: { ...TAKES_EVERYTHING.fields, max_tokens: -1 },
			thinkingIn: ['reasoning_content'],
		},
		simulated: { profile: 'llama-server', refusal: 'llamaServer' },
		advice: {
			noModels: 'llama-server -m FILE.gguf',
			embeddingsOff: '--embeddings',
			rerankOff: '--rerank',
			moreContext:
				'--ctx-size 9000 --kv-unified. Without --kv-unified, each of 2 slots can get 1/2 of the context: then --ctx-size 18000',
			toolParser: '--jinja',
		},
	});

	it('with one slot is advised of one size only', () => {
		expect(kindOf('llamaServer').words.moreContext(9000)).toBe(
			'Start llama-server with --ctx-size 9000.',
		);
	});

	it('is told by its header whatever the answer, and not by a refusal of the key alone', () => {
		expect(isLlama(answers({ health: `${LLAMA}/not-found` }))).toBe(true);
		const refusal = {
			error: { message: 'Invalid API Key', type: 'invalid_request_error', code: 401 },
		};
		expect(isLlama(answers({ models: refusal }))).toBe(false);
	});

	it("gets short ids of tool calls where a model's template wants them (case 81)", () => {
		expect(workaroundsFor(`${LLAMA}/template-tool-id`)).toEqual([]);
		expect(workaroundsFor(`${LLAMA}/error-template-tool-id`)).toEqual(['shortToolIds']);
	});
});
