import { type SimOptions, startLlamaServerSim } from '../llama-server';
import type { RecordedExchange } from './exchange';
import type { RecordedTopic } from './topic';

const MINILM: SimOptions = { alias: '/models/minilm-f16.gguf', slots: 2, nCtx: 512 };
const SMOLLM2: SimOptions = {
	alias: 'smollm2',
	modelPath: '/models/SmolLM2-135M-Instruct.Q4_1.gguf',
	slots: 2,
	nCtx: 1024,
};

/** Options of a case's server; the first matching name counts. */
const STARTS: Array<[name: RegExp, options: SimOptions]> = [
	[/^embed-/, { ...MINILM, embeddings: { encoder: true } }],
	[/^rankwrong-chat-/, { ...SMOLLM2, alias: SMOLLM2.modelPath, rerank: true }],
	[
		/^rank-/,
		{ ...MINILM, alias: '/models/minilm-rank.gguf', embeddings: { encoder: true }, rerank: true },
	],
	[/^key-/, { ...SMOLLM2, slots: 1, apiKey: 'sk-XXXX', metrics: true }],
	[
		/^router-/,
		{
			profile: 'router',
			models: [
				{ id: 'broken' },
				{ id: 'chat' },
				{ id: 'embed', embeddings: true },
				{ id: 'rank', rerank: true },
				{ id: 'toy' },
			],
		},
	],
];

const start = async ({ name }: RecordedExchange) => {
	const [, options = SMOLLM2] = STARTS.find(([pattern]) => pattern.test(name)) ?? [];
	const sim = await startLlamaServerSim(options);
	if (name.startsWith('loading-')) sim.setLoading(1);
	return sim;
};

const topic = (name: string, deviations: Record<string, string> = {}): RecordedTopic => ({
	topic: `llama-server-v0.5.0/${name}`,
	start,
	deviations,
});

const TEMPLATE = 'the template of this model does not support tools, those of the simulator do';

export const LLAMA_SERVER: RecordedTopic[] = [
	topic('embeddings', { 'embed-props': TEMPLATE }),
	topic('rerank', { 'rank-props': TEMPLATE }),
	topic('lists', { 'plain-props': TEMPLATE }),
	topic('router'),
];
