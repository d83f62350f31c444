import { labelsOf } from '../../../../lib/servers/kinds';
import { answer, list, TAKES_EVERYTHING, testKind } from './kind-suite';

const HEADERS = { server: 'llama.cpp', 'x-olla-request-id': 'fluffy-galloping-c7f5' };

describe('Olla', () => {
	testKind('olla', {
		told: [
			['its list', { models: 'olla-0.0.28/models' }],
			['its refusal of a model', { models: 'olla-0.0.28/unknown-model' }],
			['an empty list: no server behind it answers', { models: answer(list(), 200, HEADERS) }],
			['an answer of llama-server that it passes on', { health: answer({}, 200, HEADERS) }],
		],
		notTold: [
			['llama-server itself', { models: list({ id: 'm', owned_by: 'llamacpp' }) }, 'llamaServer'],
		],
		chat: TAKES_EVERYTHING,
		advice: {
			noModels: '/internal/status/endpoints',
			missingModel: 'behind Olla',
			moreContext: '9000 tokens',
		},
	});
});

it('is not named among the servers that can do what its routes are only tried for', () => {
	expect(labelsOf(({ models }) => models.pull)).toBe(
		'Docker Model Runner, llama-server (router), speaches and Ollama',
	);
	expect(labelsOf(({ slots }) => slots)).not.toContain('Olla,');
});
