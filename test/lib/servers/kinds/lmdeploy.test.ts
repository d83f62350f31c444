import { list, TAKES_FIELDS_OF_VLLM, testKind } from './kind-suite';

describe('LMDeploy', () => {
	testKind('lmdeploy', {
		told: [['its list', { models: list({ id: 'q', owned_by: 'lmdeploy' }), health: {} }]],
		chat: {
			...TAKES_FIELDS_OF_VLLM,
			notes: [
				'This server (LMDeploy) ignores these options, so they were not sent: Cache Prompt, GBNF Grammar',
			],
		},
		simulated: { profile: 'lmdeploy', refusal: 'other' },
		advice: {
			missingModel: '--model-name',
			embeddingsOff: 'no embeddings',
			moreContext: '--session-len 9000',
			toolParser: '--tool-call-parser',
		},
	});
});
