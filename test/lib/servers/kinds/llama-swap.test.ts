import { TAKES_EVERYTHING, testKind } from './kind-suite';

describe('llama-swap', () => {
	const SWAP = 'llama-swap-0bdb372';

	testKind('llamaSwap', {
		told: [
			['llama-swap', { models: `${SWAP}/models` }],
			[
				'llama-swap, asked with /api/version',
				{ models: `${SWAP}/models`, apiVersion: `${SWAP}/api-version` },
			],
			['llama-swap by /api/version alone', { apiVersion: `${SWAP}/api-version` }],
			['llama-swap that refuses the key', { models: `${SWAP}/key-none` }],
			[
				'llama-swap that hands on /props of llama-server',
				{ models: `${SWAP}/models`, props: `${SWAP}/props-model` },
			],
			['llama-swap that wants a model for /props', { props: `${SWAP}/props-no-model` }],
		],
		notTold: [
			[
				'something with a commit in its version',
				{ apiVersion: { version: '1', commit: 'abc' } },
				'other',
			],
		],
		version: [{ props: `${SWAP}/props-model` }, undefined],
		chat: { ...TAKES_EVERYTHING, fields: { ...TAKES_EVERYTHING.fields, max_tokens: -1 } },
		simulated: { profile: 'llama-swap', refusal: 'llamaSwap' },
		advice: {
			noModels: "llama-swap's configuration file",
			missingModel: "llama-swap's configuration file",
			moreContext: '--ctx-size 9000 to the command of this model',
		},
	});
});
